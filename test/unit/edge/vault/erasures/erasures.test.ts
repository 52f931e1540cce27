import { beforeEach, describe, expect, test } from 'vitest';
import type { Vault } from '../../../../../edge/vault/vault.ts';
import { newId } from '../../../../../shared/ids/ids.ts';
import { type TestBox, testBox, testVault } from '../../../../helpers/vault.ts';
import { consentFor, guest } from '../../../../helpers/vault-guests.ts';

const START = Date.parse('2026-11-22T12:00:00.000Z');
const DAY_MS = 86_400_000;
const iso = (time: number): string => new Date(time).toISOString();

let now = START;
let box: TestBox;
let vault: Vault;
beforeEach(async () => {
  now = START;
  box = await testBox();
  vault = testVault(box, 'hall', () => now);
  await vault.start();
});

async function erase(): Promise<string> {
  const { customerId } = vault.customers.enrol({ ...guest(1), consent: consentFor(10_000 * DAY_MS, START) });
  await vault.customers.remove({ customerId });
  return customerId;
}

test('come page by page, the last first, also after a restart', async () => {
  const ids = [await erase(), await erase(), await erase()].reverse();
  const first = vault.erasures.list({ limit: 2 });
  expect(first.items.map(({ customerId }) => customerId)).toEqual(ids.slice(0, 2));
  const again = testVault(box, 'hall', () => now);
  vault.stop();
  await again.start();
  const second = again.erasures.list({ limit: 2, cursor: first.next ?? '' });
  expect(second).toMatchObject({ items: [{ customerId: ids[2], erasedAt: iso(START), epoch: 1, keyReplaced: false }], next: null });
});

describe('the state', () => {
  test('of a stand-alone box is never more than `erased`, however often its key was replaced', async () => {
    const customerId = await erase();
    await vault.moveEpoch({});
    await vault.moveEpoch({});
    now += 1000 * DAY_MS;
    expect(vault.erasures.of([customerId])).toMatchObject([{ state: 'erased', unrecoverableFrom: null, keyReplaced: true, boxes: [] }]);
  });

  test('is `unrecoverable` on the word of the KMS, from the time that it names, for all who were erased up to that epoch', async () => {
    const first = await erase();
    await vault.moveEpoch({});
    const second = await erase();
    await vault.moveEpoch({});
    const third = await erase();
    const boxes = [{ box: newId('box'), state: 'moved' as const }];
    vault.erasures.recordReceipt({ epoch: 2, unrecoverableFrom: iso(START + DAY_MS), boxes });
    const all = [first, second, third];
    expect(vault.erasures.of(all)).toMatchObject([
      { state: 'erased', unrecoverableFrom: iso(START + DAY_MS), boxes },
      { state: 'erased', unrecoverableFrom: iso(START + DAY_MS), boxes },
      { state: 'erased', unrecoverableFrom: null, boxes: [] },
    ]);
    now = START + DAY_MS;
    expect(vault.erasures.of(all).map(({ state }) => state)).toEqual(['unrecoverable', 'unrecoverable', 'erased']);
  });

  test('of a key store that promises nothing stays `erased`', async () => {
    const customerId = await erase();
    vault.erasures.recordReceipt({ epoch: 1, unrecoverableFrom: null, boxes: [{ box: newId('box'), state: 'waiting' }] });
    now += 1000 * DAY_MS;
    expect(vault.erasures.of([customerId])).toMatchObject([{ state: 'erased', unrecoverableFrom: null, boxes: [{ state: 'waiting' }] }]);
  });
});

test('a move that is for erasures only waits for one that is old enough, and follows it once', async () => {
  const erasedBefore = (): string => iso(now - DAY_MS);
  expect(await vault.moveEpoch({ erasedBefore: erasedBefore() })).toEqual({ epoch: 1, moved: false });
  await erase();
  now += DAY_MS;
  expect(await vault.moveEpoch({ erasedBefore: erasedBefore() })).toEqual({ epoch: 1, moved: false });
  now += 1;
  expect(await vault.moveEpoch({ erasedBefore: erasedBefore() })).toEqual({ epoch: 2, moved: true });
  now += 100 * DAY_MS;
  expect(await vault.moveEpoch({ erasedBefore: erasedBefore() })).toEqual({ epoch: 2, moved: false });
});
