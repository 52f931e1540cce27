import type { DescribedGuest } from '../enrolment/describe-guests.ts';
import type { Secrets } from './secrets-search.ts';

/** What must not lie anywhere of these guests. */
export function secretsOf(guests: readonly DescribedGuest[]): Secrets {
  return {
    embeddings: guests.flatMap(({ embeddings }) => embeddings),
    names: guests.map(({ name }) => name),
    pictures: guests.flatMap(({ pictures }) => pictures),
  };
}
