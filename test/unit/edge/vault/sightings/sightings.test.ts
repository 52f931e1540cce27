import { beforeEach, expect, test } from 'vitest';
import type { Vault } from '../../../../../edge/vault/vault.ts';
import type { Sighting } from '../../../../../shared/messages/events.ts';
import { testBox, testVault } from '../../../../helpers/vault.ts';
import { guest, sightingOf } from '../../../../helpers/vault-guests.ts';

let vault: Vault;
let customerId: string;
beforeEach(async () => {
  vault = testVault(await testBox());
  await vault.start();
  customerId = vault.customers.enrol(guest(1)).customerId;
});

/** Recorded one a minute from 10:00 on. */
function record(...sightings: Sighting[]): string[] {
  return sightings.map((sighting, index) => {
    vault.sightings.record({ ...sighting, endedAt: `2026-11-21T10:${String(index).padStart(2, '0')}:00.000Z` });
    return sighting.id;
  });
}
const stranger = (outcome: 'unknown' | 'undecided' = 'unknown'): Sighting => sightingOf(null, 'hall', outcome);
const listed = (query: Partial<Parameters<Vault['sightings']['list']>[0]> = {}): string[] =>
  vault.sightings.list({ limit: 100, ...query }).items.map(({ id }) => id);

test('are listed as they were recorded, the last first, known and unknown', () => {
  const sightings = [sightingOf(customerId), stranger(), stranger('undecided')];
  const ids = record(...sightings);
  expect(listed()).toEqual(ids.reverse());
  expect(vault.sightings.list({ limit: 3 }).items[2]).toEqual({ ...sightings[0], endedAt: '2026-11-21T10:00:00.000Z' });
});

test('are narrowed down by camera, outcome, customer and time', () => {
  const other = vault.customers.enrol(guest(2)).customerId;
  const [mine, his, unknown, undecided, elsewhere] = record(sightingOf(customerId), sightingOf(other), stranger(), stranger('undecided'), {
    ...sightingOf(customerId),
    camera: 'bar',
  });
  expect(listed({ camera: 'bar' })).toEqual([elsewhere]);
  expect(listed({ customerId })).toEqual([elsewhere, mine]);
  expect(listed({ customerId: other, camera: 'bar' })).toEqual([]);
  expect(listed({ outcome: 'person' })).toEqual([elsewhere, his, mine]);
  expect(listed({ outcome: 'unknown' })).toEqual([unknown]);
  expect(listed({ outcome: 'undecided' })).toEqual([undecided]);
  expect(listed({ outcome: 'unknown', customerId })).toEqual([]);
  expect(listed({ from: '2026-11-21T10:01:00Z', to: '2026-11-21T10:03:00Z' })).toEqual([unknown, his]);
});

test('come page by page, each once, although more are recorded meanwhile', () => {
  const ids = record(stranger(), sightingOf(customerId), stranger(), sightingOf(customerId), stranger()).reverse();
  const first = vault.sightings.list({ limit: 2 });
  record(stranger());
  const second = vault.sightings.list({ limit: 2, cursor: first.next ?? '' });
  const third = vault.sightings.list({ limit: 2, cursor: second.next ?? '' });
  expect([first, second, third].flatMap(({ items }) => items.map(({ id }) => id))).toEqual(ids);
  expect([first.next === null, second.next === null, third.next]).toEqual([false, false, null]);
});

test('keep their place when they are reported again, and may become somebody’s', () => {
  const [early, late] = [stranger('undecided'), stranger()];
  record(early, late);
  vault.sightings.record({ ...early, outcome: 'person', customerId });
  expect(listed()).toEqual([late.id, early.id]);
  expect(listed({ customerId })).toEqual([early.id]);
});

test('a page that found little among many says where to go on', () => {
  const [wanted = ''] = record({ ...stranger(), camera: 'bar' });
  for (let index = 0; index < 1500; index += 1) vault.sightings.record(stranger());
  const first = vault.sightings.list({ camera: 'bar', limit: 10 });
  expect(first.items).toEqual([]);
  const second = vault.sightings.list({ camera: 'bar', limit: 10, cursor: first.next ?? '' });
  expect([second.items.map(({ id }) => id), second.next]).toEqual([[wanted], null]);
});

test('of a time are found wherever they lie, also when the clock of the box was wrong in between', () => {
  const at = (endedAt: string): string => {
    const sighting = { ...sightingOf(customerId), endedAt };
    vault.sightings.record(sighting);
    return sighting.id;
  };
  const ids = ['2026-11-20T23:59:00Z', '2026-11-21T00:01:00Z', '1970-01-01T00:00:00Z', '2099-01-01T00:00:00Z', '2026-11-21T23:59:59Z'].map(
    at,
  );
  const [before, early, past, future, late] = ids;
  expect(listed({ from: '2026-11-21T00:00:00Z', to: '2026-11-22T00:00:00Z' })).toEqual([late, early]);
  expect(listed({ to: '2026-11-21T00:00:00Z' })).toEqual([past, before]);
  expect(listed({ from: '2026-11-22T00:00:00Z' })).toEqual([future]);
  expect(listed({ from: '2026-11-21T12:00:00Z', to: '2026-11-21T13:00:00Z' })).toEqual([]);
  expect(listed({ from: '2030-01-01T00:00:00Z', to: '2030-01-02T00:00:00Z' })).toEqual([]);
});

test('of one day are found at once behind thousands of later ones, page by page', () => {
  const [one, two] = [1, 2].map(() => ({ ...sightingOf(customerId), endedAt: '2026-11-20T12:00:00Z' }));
  for (const sighting of [one, two]) vault.sightings.record(sighting ?? stranger());
  for (let index = 0; index < 1100; index += 1) vault.sightings.record({ ...stranger(), endedAt: '2026-11-22T12:00:00Z' });
  const query = { from: '2026-11-20T00:00:00Z', to: '2026-11-21T00:00:00Z', limit: 1 };
  const first = vault.sightings.list(query);
  expect(first.items).toEqual([two]);
  expect(vault.sightings.list({ ...query, cursor: first.next ?? '' })).toEqual({ items: [one], next: null });
});
