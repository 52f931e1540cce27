import { expect, test } from 'vitest';
import { endOf } from '../../../../../edge/console/words/day.ts';
import { keyState } from '../../../../../edge/console/words/key-state.ts';

const now = new Date(2027, 5, 30, 12).getTime();
const until = (day: string): { expiresAt: string; revokedAt: null } => ({ expiresAt: endOf(day), revokedAt: null });

test('a key is valid through the whole of the day that was chosen, and that day is what is shown', () => {
  expect(keyState(until('2027-06-30'), now)).toEqual({ tone: 'good', word: 'Valid until 30 Jun 2027' });
  expect(keyState(until('2027-06-29'), now)).toEqual({ tone: 'off', word: 'Expired 29 Jun 2027' });
});

test('a revoked key is revoked, also after it would have expired', () => {
  expect(keyState({ ...until('2027-06-29'), revokedAt: new Date(2027, 0, 2).toISOString() }, now).word).toBe('Revoked 2 Jan 2027');
  expect(keyState({ expiresAt: null, revokedAt: null }, now).word).toBe('Valid until revoked');
});
