import type { Enforcement } from '../lease/lease-token.ts';

/** What is known of a box that could have a tenant's keys. Times are milliseconds since the Unix epoch. */
export interface KnownOfBox {
  readonly enforcement: Enforcement;
  /** When the last lease ends that it can have been given. */
  readonly leaseEndsAt: number;
  /** When it said that it has removed everything; null where it has not. */
  readonly erasedAt: number | null;
}

/** What became of the tenant's keys in the HSM; null while they are there. */
export interface KnownOfHsm {
  /** When no backup of it has them any more; null where nobody can promise that. */
  readonly unrecoverableFrom: number | null;
}

export const BOX_STATES = ['pending', 'erased', 'unrecoverable'] as const;
export const REASONS = ['ack', 'lease_end', 'hsm_horizon'] as const;

export interface StateOfBox {
  readonly state: (typeof BOX_STATES)[number];
  /** From when nobody can bring back what it holds, whoever has it; null where nobody can promise that. */
  readonly unrecoverableFrom: number | null;
  /** What decides that time: the word of the box, the end of its last lease, or the backups of the HSM. */
  readonly because: (typeof REASONS)[number] | null;
}

/**
 * How far a tenant is gone from one box. A box that keeps leases in a file can open them for as long as it likes, and so can whoever copies
 * its disk: of such a one its own word is needed, and it never says more than that it has erased. Of others the end of the lease is enough.
 */
export function stateOfBox({ enforcement, leaseEndsAt, erasedAt }: KnownOfBox, hsm: KnownOfHsm | null, now: number): StateOfBox {
  if (hsm === null) return { state: 'pending', unrecoverableFrom: null, because: null };
  const byWord = { state: 'erased', unrecoverableFrom: null, because: 'ack' } as const;
  if (enforcement === 'software') return erasedAt === null ? { ...byWord, state: 'pending', because: null } : byWord;
  const shutAt = Math.min(erasedAt ?? leaseEndsAt, leaseEndsAt);
  const because = erasedAt !== null && erasedAt <= leaseEndsAt ? 'ack' : 'lease_end';
  const shut = erasedAt !== null || shutAt <= now;
  const { unrecoverableFrom: horizon } = hsm;
  if (horizon === null) return { state: shut ? 'erased' : 'pending', unrecoverableFrom: null, because };
  const unrecoverableFrom = Math.max(shutAt, horizon);
  const reached = unrecoverableFrom <= now ? 'unrecoverable' : shut ? 'erased' : 'pending';
  return { state: reached, unrecoverableFrom, because: horizon > shutAt ? 'hsm_horizon' : because };
}
