import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { ProcessEnd } from './daemon/daemon-process.ts';
import { DURATION_MS } from './footage/script.ts';
import { limit } from './limit.ts';
import type { ByteSearch } from './scan/byte-search.ts';
import { type Findings, scanFolder } from './scan/scan-folder.ts';
import type { Watch } from './watch.ts';

/** Longest time to the end of the footage, beyond the footage's own length. */
const PATIENCE_MS = 60_000;

export interface FollowOptions {
  readonly watch: Watch;
  /** Kept when the daemon has ended. */
  readonly ended: Promise<ProcessEnd>;
  /** Searched in mid-run. */
  readonly folder: string;
  readonly search: ByteSearch;
  /** Aborted when it is to end early. */
  readonly signal: AbortSignal;
}

/**
 * Waits until the footage is over.
 * @returns what lay in the clear in mid-run
 * @throws {SecureGateError} `demo_failed`, `stopped` by the signal
 */
export async function followFootage({ watch, ended, folder, search, signal }: FollowOptions): Promise<Findings> {
  const followed = watch.halfway.then(async () => {
    const leaks = await scanFolder(folder, search);
    await watch.over;
    return leaks;
  });
  const early = ended.then((end): never => {
    throw new SecureGateError('demo_failed', `The daemon ended early (${end})`);
  });
  return await Promise.race([followed, early, limit(signal, DURATION_MS + PATIENCE_MS, 'The footage did not come to its end in time')]);
}
