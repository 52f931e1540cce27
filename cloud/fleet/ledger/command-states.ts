import type { AckState } from '../../../shared/fleet/ack.ts';

export const COMMAND_STATES = ['QUEUED', 'SENT', 'IN_PROGRESS', 'SUCCEEDED', 'FAILED', 'REJECTED', 'TIMED_OUT', 'CANCELED'] as const;
export type CommandState = (typeof COMMAND_STATES)[number];

/** States in which the box has not given its last word. */
const UNTOLD = ['QUEUED', 'SENT', 'IN_PROGRESS', 'TIMED_OUT', 'CANCELED'] as const;

/**
 * From where each state is reached; there is no other way. What a box has signed counts, whatever the ledger thought: one that was restored
 * from a backup has forgotten that it sent a command, and one whose time is over, or that was cancelled on its way, may have been done.
 */
export const REACHED_FROM = {
  QUEUED: [],
  SENT: ['QUEUED'],
  IN_PROGRESS: ['QUEUED', 'SENT'],
  SUCCEEDED: UNTOLD,
  FAILED: UNTOLD,
  REJECTED: UNTOLD,
  TIMED_OUT: ['QUEUED', 'SENT', 'IN_PROGRESS'],
  CANCELED: ['QUEUED', 'SENT'],
} as const satisfies Record<CommandState, readonly CommandState[]> & Record<AckState, readonly CommandState[]>;

/** What is sent, and sent again, until the box says what came of it. */
export const UNSETTLED = ['QUEUED', 'SENT', 'IN_PROGRESS'] as const satisfies readonly CommandState[];
