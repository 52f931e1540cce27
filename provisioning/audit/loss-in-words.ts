import type { Loss } from './follow-losses.ts';

/** What a person is told of a key that went with its HSM. */
export function lossInWords({ recovery, at, key }: Loss): string {
  const [since, by] = [new Date(at).toISOString(), JSON.stringify(key)];
  return `Since ${since} another HSM signs it, by ${by}: the recovery keys of the org have signed that (${recovery}).`;
}
