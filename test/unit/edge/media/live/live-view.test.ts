import sharp from 'sharp';
import { expect, test } from 'vitest';
import { LiveView, type ShownFrame } from '../../../../../edge/media/live/live-view.ts';

interface Track {
  readonly track: number;
  readonly box: { x: number; y: number; width: number; height: number };
}

const track: Track = { track: 1, box: { x: 192, y: 108, width: 96, height: 54 } };

/** Left half dark, right half light, in shared memory as the cameras' pictures are. */
function frame(width = 1920, height = 1080, mediaMs = 40) {
  const data = Buffer.from(new SharedArrayBuffer(width * height * 3));
  for (let pixel = 0; pixel < width * height; pixel += 1) data.fill(pixel % width < width / 2 ? 20 : 220, pixel * 3, pixel * 3 + 3);
  return { width, height, data, mediaMs };
}

test('nobody watching is no work', () => {
  const view = new LiveView<Track>();
  expect(
    view.show(frame(), () => {
      throw new Error('asked for the tracks');
    }),
  ).toBeUndefined();
});

test('who watches gets the picture, at most 960 wide, with its tracks where they are on it', async () => {
  const view = new LiveView<Track>();
  const shown: ShownFrame<Track>[] = [];
  view.watch('large', (picture) => shown.push(picture));
  await view.show(frame(), () => [track]);
  const [picture] = shown;
  expect(picture).toMatchObject({
    mediaMs: 40,
    width: 960,
    height: 540,
    tracks: [{ track: 1, box: { x: 96, y: 54, width: 48, height: 27 } }],
  });
  const { data, info } = await sharp(picture?.jpeg).raw().toBuffer({ resolveWithObject: true });
  expect([info.width, info.height]).toEqual([960, 540]);
  expect(Math.abs((data[(270 * 960 + 100) * 3] ?? 0) - 20)).toBeLessThan(4);
  expect(Math.abs((data[(270 * 960 + 800) * 3] ?? 0) - 220)).toBeLessThan(4);
});

test('a small picture is not blown up', async () => {
  const view = new LiveView<Track>();
  const shown: ShownFrame<Track>[] = [];
  view.watch('large', (picture) => shown.push(picture));
  await view.show(frame(320, 180), () => [track]);
  expect(shown[0]).toMatchObject({ width: 320, height: 180, tracks: [track] });
});

test('a frame that comes while another is encoded is left out, and the pixels are free once it is shown', async () => {
  const view = new LiveView<Track>();
  const shown: number[] = [];
  const end = view.watch('large', ({ mediaMs }) => shown.push(mediaMs));
  const first = view.show(frame(), () => []);
  expect(view.show(frame(1920, 1080, 80), () => [])).toBeUndefined();
  await first;
  await view.show(frame(1920, 1080, 120), () => []);
  expect(shown).toEqual([40, 120]);
  expect(view.watched).toBe(true);
  end();
  expect(view.watched).toBe(false);
  expect(view.show(frame(), () => [])).toBeUndefined();
});

test('each size that is watched is encoded once for all who watch it', async () => {
  const view = new LiveView<Track>();
  const shown: Record<'one' | 'other' | 'small', ShownFrame<Track>[]> = { one: [], other: [], small: [] };
  view.watch('large', (picture) => shown.one.push(picture));
  view.watch('large', (picture) => shown.other.push(picture));
  const end = view.watch('small', (picture) => shown.small.push(picture));
  await view.show(frame(), () => [track]);
  expect(shown.one[0]?.jpeg).toBe(shown.other[0]?.jpeg);
  expect(shown.small[0]).toMatchObject({ width: 480, height: 270, tracks: [{ box: { x: 48, y: 27, width: 24, height: 13.5 } }] });
  expect(await sharp(shown.small[0]?.jpeg).metadata()).toMatchObject({ width: 480, height: 270 });
  end();
  await view.show(frame(), () => []);
  expect([shown.one.length, shown.small.length]).toEqual([2, 1]);
});
