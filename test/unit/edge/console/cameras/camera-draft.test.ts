import { expect, test } from 'vitest';
import { changesOf, draftOf, settingsOf } from '../../../../../edge/console/cameras/camera-draft.ts';

const camera = {
  id: 'rec_x',
  slug: 'door',
  title: null,
  address: 'rtsp://10.0.0.7/1',
  fps: 5,
  tiles: { columns: 2, rows: 2, overlap: 0.1 },
  roomId: 'rec_hall',
  fixed: false,
  state: 'live',
  reason: null,
  fpsGiven: 5,
  version: 3,
} as const;

test('what nobody touches is not changed', () => {
  expect(changesOf(draftOf(camera), camera)).toEqual({});
});

test('a camera leaves its room, or goes to another one', () => {
  expect(changesOf({ ...draftOf(camera), roomId: '' }, camera)).toEqual({ roomId: null });
  expect(changesOf({ ...draftOf(camera), roomId: 'rec_foyer' }, camera)).toEqual({ roomId: 'rec_foyer' });
});

test('a new camera has what was filled in and nothing else', () => {
  const draft = { ...draftOf(undefined), slug: ' door ', url: ' rtsp://10.0.0.7/1 ' };
  expect(settingsOf(draft)).toEqual({ slug: 'door', url: 'rtsp://10.0.0.7/1', fps: 5 });
  expect(settingsOf({ ...draft, tiles: '2x1', roomId: 'rec_hall' })).toMatchObject({
    tiles: { columns: 2, rows: 1, overlap: 0.2 },
    roomId: 'rec_hall',
  });
});
