import type { KnownOfBox, StateOfBox } from './state-of-box.ts';

/** What became of one key of a tenant. Times are milliseconds since the Unix epoch. */
export interface KnownEpoch {
  /** When the next key was made, to which the boxes then move; null of the newest. */
  readonly leftFrom: number | null;
  readonly destroyedAt: number | null;
  /** When no backup of the HSM has it any more; null where nobody can promise that. */
  readonly unrecoverableFrom: number | null;
}

/**
 * The keys that a copy of a box opens with, from before it erased somebody: all that were made by then.
 * @param epochs of the tenant, the first one first
 */
export function keysBefore<Epoch extends Pick<KnownEpoch, 'leftFrom'>>(epochs: readonly Epoch[], erasedAt: number): Epoch[] {
  return epochs.filter((_, index) => (epochs[index - 1]?.leftFrom ?? 0) <= erasedAt);
}

/** When the last of these keys was destroyed; null as long as one is there. */
export function destroyedAt(epochs: readonly Pick<KnownEpoch, 'destroyedAt'>[]): number | null {
  return epochs.reduce<number | null>((last, { destroyedAt: at }) => (last === null || at === null ? null : Math.max(last, at)), 0);
}

/**
 * How far somebody is gone from one box. That it erased him is its own word alone; an older copy of it opens as long as there is one of the
 * keys of that time: in the HSM, in its backups, or with the box under a lease that was given before. A box that keeps leases in a file, and
 * whoever copies its disk, has them for ever.
 * @param leaseEndsAt when the last lease ends that it can have been given before these keys were destroyed
 */
export function stateOfErasure(
  { enforcement, leaseEndsAt, erasedAt }: KnownOfBox,
  epochs: readonly KnownEpoch[],
  now: number,
): Pick<StateOfBox, 'state' | 'unrecoverableFrom'> {
  if (erasedAt === null) return { state: 'pending', unrecoverableFrom: null };
  const keys = keysBefore(epochs, erasedAt);
  const ends = keys.flatMap(({ unrecoverableFrom }) => unrecoverableFrom ?? []);
  const isPromised = enforcement !== 'software' && destroyedAt(keys) !== null && ends.length === keys.length;
  if (!isPromised) return { state: 'erased', unrecoverableFrom: null };
  const unrecoverableFrom = Math.max(erasedAt, leaseEndsAt, ...ends);
  return { state: unrecoverableFrom <= now ? 'unrecoverable' : 'erased', unrecoverableFrom };
}
