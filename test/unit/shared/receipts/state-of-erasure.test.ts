import { expect, test } from 'vitest';
import { type KnownOfErasure, stateOfErasure } from '../../../../shared/receipts/state-of-erasure.ts';

const EPOCHS = [
  { epoch: 1, leftFrom: 100, destroyedAt: 300, unrecoverableFrom: 700 },
  { epoch: 2, leftFrom: 200, destroyedAt: 300, unrecoverableFrom: 800 },
  { epoch: 3, leftFrom: null, destroyedAt: null, unrecoverableFrom: null },
];
const ABSENT: KnownOfErasure = {
  ...{ enforcement: 'memory', leaseEndsAt: 500, erasedAt: null, requestedAt: 50 },
  lost: { epoch: 2, laterKeyAt: null },
};
const PENDING = { state: 'pending', unrecoverableFrom: null, because: null };

test('whoever was on a box that never came is gone when its keys are destroyed, its last lease is over, and no backup of the HSM has them', () => {
  expect(stateOfErasure(ABSENT, EPOCHS, 499), 'it may come, and move').toEqual(PENDING);
  expect(stateOfErasure(ABSENT, EPOCHS, 500)).toEqual({ state: 'erased', unrecoverableFrom: 800, because: 'epoch_lost' });
  expect(stateOfErasure(ABSENT, EPOCHS, 800)).toEqual({ state: 'unrecoverable', unrecoverableFrom: 800, because: 'epoch_lost' });
  const backed = EPOCHS.map((epoch) => ({ ...epoch, unrecoverableFrom: null }));
  expect(stateOfErasure(ABSENT, backed, 9999)).toEqual({ state: 'erased', unrecoverableFrom: null, because: 'epoch_lost' });
});

test('and is not, where it may have another key, an older one is there, or a file has it', () => {
  for (const laterKeyAt of [250, 499]) {
    expect(stateOfErasure({ ...ABSENT, lost: { epoch: 2, laterKeyAt } }, EPOCHS, 9999), 'moved unheard').toEqual(PENDING);
  }
  const anew = { ...ABSENT, lost: { epoch: 2, laterKeyAt: 600 } };
  expect(stateOfErasure(anew, EPOCHS, 9999), 'it begins anew').toMatchObject({ state: 'unrecoverable' });
  expect(stateOfErasure({ ...anew, requestedAt: 601 }, EPOCHS, 9999), 'it had begun anew, with him').toEqual(PENDING);
  expect(stateOfErasure({ ...ABSENT, lost: { epoch: 3, laterKeyAt: null } }, EPOCHS, 9999)).toEqual(PENDING);
  expect(stateOfErasure({ ...ABSENT, lost: null }, EPOCHS, 9999)).toEqual(PENDING);
  expect(stateOfErasure({ ...ABSENT, lost: { epoch: 0, laterKeyAt: null } }, EPOCHS, 9999)).toEqual(PENDING);
  expect(stateOfErasure({ ...ABSENT, enforcement: 'software' }, EPOCHS, 9999)).toEqual(PENDING);
});

test('of a box that has said its word, what decides it is the latest of word, lease and backups', () => {
  const said: KnownOfErasure = { ...ABSENT, lost: null, erasedAt: 150 };
  expect(stateOfErasure(said, EPOCHS, 600)).toEqual({ state: 'erased', unrecoverableFrom: 800, because: 'hsm_horizon' });
  expect(stateOfErasure({ ...said, leaseEndsAt: 900 }, EPOCHS, 900)).toEqual({
    state: 'unrecoverable',
    unrecoverableFrom: 900,
    because: 'lease_end',
  });
  expect(stateOfErasure({ ...said, erasedAt: 250 }, EPOCHS, 9999), 'a key of that time is there').toEqual({
    state: 'erased',
    unrecoverableFrom: null,
    because: 'ack',
  });
});
