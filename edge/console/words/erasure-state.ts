import type { Erasure } from '../api/types.ts';
import type { Tone } from './camera-state.ts';
import { formatDay } from './time.ts';

/** How far an erasure goes, in words that promise no more than is known. */
export function erasureState({ state, unrecoverableFrom, keyReplaced }: Erasure): { tone: Tone; word: string; note: string } {
  if (state === 'unrecoverable') return { tone: 'good', word: 'Unrecoverable', note: 'the venue’s key of that time exists no more' };
  if (unrecoverableFrom !== null) return { tone: 'good', word: 'Erased', note: `unrecoverable from ${formatDay(unrecoverableFrom)}` };
  if (keyReplaced) return { tone: 'good', word: 'Erased', note: 'the venue has another key; copies of the old one may exist' };
  return { tone: 'wait', word: 'Erased here', note: 'complete older copies still open with the venue’s key' };
}
