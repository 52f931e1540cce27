import type { System } from '../api/types.ts';
import { errorWords } from './error-words.ts';
import { formatDuration } from './time.ts';

type Lease = NonNullable<System['stats']['vaults'][number]['lease']>;

const KEPT: Readonly<Record<Lease['enforcement'], string>> = { memory: 'in memory', tpm: 'under the TPM', software: 'in a file' };

/** How long a venue is open, how its key is kept, and what is in the way of the next lease. */
export function leaseWords({ enforcement, leftMs, failure }: Lease): string {
  const words = `lease for ${formatDuration(Math.max(0, leftMs))} more, kept ${KEPT[enforcement]}`;
  return failure === null ? words : `${words}; not renewed: ${errorWords(failure).title}`;
}
