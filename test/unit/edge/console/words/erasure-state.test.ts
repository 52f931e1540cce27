import { expect, test } from 'vitest';
import type { Erasure } from '../../../../../edge/console/api/types.ts';
import { erasureState } from '../../../../../edge/console/words/erasure-state.ts';

const erasure: Erasure = {
  customerId: 'cus_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  erasedAt: '2026-11-22T12:00:00.000Z',
  state: 'erased',
  unrecoverableFrom: null,
  epoch: 1,
  keyReplaced: false,
  boxes: [],
};

test('an erasure is called unrecoverable only where the box says so, and with a time only where there is one', () => {
  expect(erasureState(erasure)).toMatchObject({ tone: 'wait', word: 'Erased here' });
  expect(erasureState({ ...erasure, keyReplaced: true })).toMatchObject({ word: 'Erased', note: expect.stringContaining('another key') });
  const later = new Date(2026, 11, 24, 12).toISOString();
  expect(erasureState({ ...erasure, keyReplaced: true, unrecoverableFrom: later }).note).toBe('unrecoverable from 24 Dec 2026');
  expect(erasureState({ ...erasure, state: 'unrecoverable', unrecoverableFrom: later }).word).toBe('Unrecoverable');
});
