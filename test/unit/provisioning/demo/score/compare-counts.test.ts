import { expect, test } from 'vitest';
import { compareCounts } from '../../../../../provisioning/demo/score/compare-counts.ts';
import { testSighting } from '../../../../helpers/test-sighting.ts';

const known = testSighting({ camera: 'door', outcome: 'person' });
const seen = [
  testSighting({ camera: 'bar' }),
  { ...known, phase: 'begun' as const },
  known,
  known,
  testSighting({ camera: 'door', outcome: 'undecided' }),
];
const counts = [
  { camera: 'bar', known: 0, unknown: 1 },
  { camera: 'door', known: 1, unknown: 0 },
  { camera: 'door', known: 0, unknown: 1 },
];

test('each sighting that is over counts once, by whether it was a customer', () => {
  expect(compareCounts(seen, counts)).toEqual({ sightingsOnBox: 3, sightingsInCloud: 3, miscounted: [] });
});

test.each([
  ['twice', [...counts, { camera: 'door', known: 1, unknown: 0 }], ['door']],
  ['not at all', counts.slice(1), ['bar']],
  ['as a stranger', [...counts.slice(0, 1), { camera: 'door', known: 0, unknown: 2 }], ['door']],
  ['before a camera that saw nobody', [...counts, { camera: 'gate', known: 1, unknown: 0 }], ['gate']],
  ['before another camera', [{ camera: 'door', known: 1, unknown: 2 }], ['bar', 'door']],
])('somebody who is counted %s is noticed', (_, others, miscounted) => {
  expect(compareCounts(seen, others).miscounted).toEqual(miscounted);
});
