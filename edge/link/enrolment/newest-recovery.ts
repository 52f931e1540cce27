import type { Recovery, SignedRecovery } from '../../../shared/lease/recovery.ts';
import { parseRecovery } from '../../../shared/lease/verify-recovery.ts';

/** @param followed those that were followed, in any order @returns the one that was drafted last */
export function newestRecovery(followed: readonly SignedRecovery[]): Recovery | undefined {
  return followed.map(({ payload }) => parseRecovery(payload)).toSorted((one, other) => other.iat - one.iat)[0];
}
