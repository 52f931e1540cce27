import { expect, test } from 'vitest';
import { nextState } from '../../../../../cloud/fleet/desired/next-state.ts';
import type { Wanted } from '../../../../../cloud/fleet/desired/read-wanted.ts';

const POLICY = { sightingsDays: 30, unmatchedTtlMs: 10_000, matchThreshold: null };
const FIELDS = { title: null, url: 'rtsp://10.0.0.1/1', fps: 5, tiles: null, credential: null };
const hall = (...cameras: string[]): Wanted => ({
  tenants: [{ id: 'hall', policy: POLICY, cameras: cameras.map((id) => ({ id, slug: id, ...FIELDS })) }],
  models: null,
});
const NOTHING: Wanted = { tenants: [], models: null };

test('a camera that is taken away is named as removed, until it is there again', () => {
  const first = nextState(undefined, hall('a', 'b'));
  expect(first.removedCameras).toEqual([]);
  const second = nextState(first, hall('b'));
  expect(second).toEqual({ tenants: hall('b').tenants, removedCameras: [{ tenant: 'hall', id: 'a' }] });
  expect(nextState(second, hall('b'))).toEqual(second);
  const third = nextState(second, NOTHING);
  expect(third.removedCameras.map(({ id }) => id)).toEqual(['a', 'b']);
  expect(nextState(third, hall('a')).removedCameras.map(({ id }) => id)).toEqual(['b']);
});

test('those that were removed longest ago are forgotten, so that it always fits into a message', () => {
  let state = nextState(undefined, NOTHING);
  for (let n = 0; n < 300; n += 1) state = nextState(nextState(state, hall(`c${n}`)), NOTHING);
  expect(state.removedCameras).toHaveLength(128);
  expect(state.removedCameras.at(-1)).toEqual({ tenant: 'hall', id: 'c299' });
});

test('models are named where somebody has chosen them, and only there', () => {
  expect(nextState(undefined, { tenants: [], models: 'scrfd-10g' })).toEqual({ tenants: [], removedCameras: [], models: 'scrfd-10g' });
  expect(nextState({ tenants: [], removedCameras: [], models: 'scrfd-10g' }, NOTHING)).toEqual({ tenants: [], removedCameras: [] });
});
