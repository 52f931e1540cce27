import type { Tenant } from '../api/types.ts';
import type { Tone } from './camera-state.ts';

const STATES: Readonly<Record<Tenant['state'], { readonly tone: Tone; readonly word: string }>> = {
  ready: { tone: 'good', word: 'Open' },
  starting: { tone: 'wait', word: 'Opening' },
  closed: { tone: 'bad', word: 'Waits for its key' },
  failed: { tone: 'bad', word: 'Failed' },
  stopped: { tone: 'off', word: 'Closed' },
};

/** State of a venue's vault in words. */
export const vaultState = (state: Tenant['state']): { readonly tone: Tone; readonly word: string } => STATES[state];
