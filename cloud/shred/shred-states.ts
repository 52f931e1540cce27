import type { ShredState } from '../store/database.ts';

export const SHRED_STATES = [
  'requested',
  'approved',
  'frozen',
  'destroying',
  'telling',
  'done',
  'cancelling',
  'cancelled',
] as const satisfies readonly ShredState[];

/**
 * From where each state is reached; there is no other way. What is to be done in a state can be done twice, and the state is left when it
 * is done: so whoever comes after a crash goes on where it stands. Once a destruction has begun there is no way back.
 */
export const REACHED_FROM = {
  requested: [],
  approved: ['requested'],
  frozen: ['approved'],
  destroying: ['frozen'],
  telling: ['destroying'],
  done: ['telling'],
  cancelling: ['requested', 'approved', 'frozen'],
  cancelled: ['cancelling'],
} as const satisfies Record<ShredState, readonly ShredState[]>;

/** States in which there is something to do. In the others people are waited for, or nothing is. */
export const UNDER_WAY = ['approved', 'frozen', 'destroying', 'telling', 'cancelling'] as const satisfies readonly ShredState[];
export type StateUnderWay = (typeof UNDER_WAY)[number];
