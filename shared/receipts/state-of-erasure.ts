import type { KnownOfBox, REASONS, StateOfBox } from './state-of-box.ts';

/** What became of one key of a tenant. Times are milliseconds since the Unix epoch. */
export interface KnownEpoch {
  readonly epoch: number;
  /** When the next key was made, to which the boxes then move; null of the newest. */
  readonly leftFrom: number | null;
  readonly destroyedAt: number | null;
  /** When no backup of the HSM has it any more; null where nobody can promise that. */
  readonly unrecoverableFrom: number | null;
}

/** A box that has not said that it has left an epoch whose key is destroyed. */
export interface LostEpoch {
  /** Its files are in this one or an earlier one, unless it was given a later key. */
  readonly epoch: number;
  /** When it first was; null where it never was. */
  readonly laterKeyAt: number | null;
}

export interface KnownOfErasure extends KnownOfBox {
  /** When the erasure was asked for. */
  readonly requestedAt: number;
  readonly lost: LostEpoch | null;
}

/** `epoch_lost`: the box never came, and the keys with which its files open are gone. */
export const ERASURE_REASONS = ['ack', 'lease_end', 'hsm_horizon', 'epoch_lost'] as const satisfies readonly (
  | (typeof REASONS)[number]
  | 'epoch_lost'
)[];

export type StateOfErasure = Pick<StateOfBox, 'state' | 'unrecoverableFrom'> & {
  readonly because: (typeof ERASURE_REASONS)[number] | null;
};

const PENDING: StateOfErasure = { state: 'pending', unrecoverableFrom: null, because: null };

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
export function stateOfErasure(known: KnownOfErasure, epochs: readonly KnownEpoch[], now: number): StateOfErasure {
  const { enforcement, leaseEndsAt, erasedAt } = known;
  if (erasedAt === null) return stateOfLost(known, epochs, now);
  const keys = keysBefore(epochs, erasedAt);
  const end = lastEnd(keys);
  if (enforcement === 'software' || end === null) return { state: 'erased', unrecoverableFrom: null, because: 'ack' };
  const shutAt = Math.max(erasedAt, leaseEndsAt);
  const unrecoverableFrom = Math.max(shutAt, end);
  const because = end > shutAt ? 'hsm_horizon' : leaseEndsAt > erasedAt ? 'lease_end' : 'ack';
  return { state: unrecoverableFrom <= now ? 'unrecoverable' : 'erased', unrecoverableFrom, because };
}

/**
 * Of a box that has said nothing: when its keys are destroyed and its last lease of them is over, its files open no more, whoever has them.
 * Given a later key before that, it may have moved them unheard, and lives on; given one before the erasure was asked for, it may have begun
 * anew and hold somebody again.
 */
function stateOfLost(
  { enforcement, leaseEndsAt, requestedAt, lost }: KnownOfErasure,
  epochs: readonly KnownEpoch[],
  now: number,
): StateOfErasure {
  if (lost === null || enforcement === 'software') return PENDING;
  const keys = epochs.filter(({ epoch }) => epoch <= lost.epoch);
  const gone = destroyedAt(keys);
  if (keys.length === 0 || gone === null) return PENDING;
  const shutAt = Math.max(gone, leaseEndsAt);
  if (shutAt > now || (lost.laterKeyAt !== null && lost.laterKeyAt < Math.max(shutAt, requestedAt))) return PENDING;
  const end = lastEnd(keys);
  if (end === null) return { state: 'erased', unrecoverableFrom: null, because: 'epoch_lost' };
  const unrecoverableFrom = Math.max(shutAt, end);
  return { state: unrecoverableFrom <= now ? 'unrecoverable' : 'erased', unrecoverableFrom, because: 'epoch_lost' };
}

/** When no backup of the HSM has any of these keys; null where one is not destroyed, or nobody can promise that. */
function lastEnd(keys: readonly KnownEpoch[]): number | null {
  const ends = keys.flatMap(({ unrecoverableFrom }) => unrecoverableFrom ?? []);
  return destroyedAt(keys) === null || ends.length < keys.length ? null : Math.max(0, ...ends);
}
