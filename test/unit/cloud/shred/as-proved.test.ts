import { expect, test } from 'vitest';
import { asProved } from '../../../../cloud/shred/as-proved.ts';

const HOUR = 3_600_000;
const [AT, END] = [100 * HOUR, 200 * HOUR];
const KEYS = { destroyedAt: AT, unrecoverableFrom: END };

test('keys are destroyed from when the log says so, and not before', () => {
  expect(asProved({ destroyedAt: null, unrecoverableFrom: null }, undefined)).toEqual({ destroyedAt: null, unrecoverableFrom: null });
  expect(asProved(KEYS, { loggedAt: AT + 60_000 })).toEqual(KEYS);
  expect(asProved(KEYS, { loggedAt: AT + HOUR }), 'logged late').toEqual({ destroyedAt: AT + HOUR, unrecoverableFrom: END + HOUR });
  expect(asProved(KEYS, undefined), 'never').toEqual({ destroyedAt: null, unrecoverableFrom: null });
});

test('nothing is beyond recovery before it is destroyed, whichever clock says so', () => {
  expect(asProved({ destroyedAt: AT, unrecoverableFrom: AT - HOUR }, { loggedAt: AT })).toEqual({ destroyedAt: AT, unrecoverableFrom: AT });
  expect(asProved({ destroyedAt: AT, unrecoverableFrom: null }, { loggedAt: AT + HOUR })).toMatchObject({ unrecoverableFrom: null });
});
