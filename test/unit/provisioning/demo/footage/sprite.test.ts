import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { enrolmentPictures } from '../../../../../provisioning/demo/enrolment/enrolment-pictures.ts';
import { shownFace } from '../../../../../provisioning/demo/footage/face-box-at.ts';
import { APPEARANCES, type Appearance } from '../../../../../provisioning/demo/footage/script.ts';
import { makeSprite, type Sprite } from '../../../../../provisioning/demo/footage/sprite.ts';

// In place of the photograph: dark grey, with a white rectangle where the face is.
const appearance = APPEARANCES.find(({ person }) => person === 'green') as Appearance;
const { box } = shownFace(appearance);
let folder: string;
let photo: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sprite-'));
  photo = join(folder, 'photo.png');
  const face = { create: { width: box.width, height: box.height, channels: 3, background: '#ffffff' } } as const;
  await sharp({ create: { width: 1920, height: 1537, channels: 3, background: '#202020' } })
    .composite([{ input: face, left: box.x, top: box.y }])
    .png()
    .toFile(photo);
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** Centre and height of what is bright. */
function brightPart({ width, yuv }: Sprite): { x: number; y: number; height: number; value: number } {
  const spots = Array.from(yuv.y).flatMap((value, at) => (value > 80 ? [{ x: at % width, y: Math.floor(at / width), value }] : []));
  const xs = spots.map(({ x }) => x);
  const ys = spots.map(({ y }) => y);
  const height = Math.max(...ys) - Math.min(...ys) + 1;
  return {
    x: (Math.min(...xs) + Math.max(...xs) + 1) / 2,
    y: (Math.min(...ys) + Math.max(...ys) + 1) / 2,
    height,
    value: yuv.y.reduce((max, value) => Math.max(max, value), 0),
  };
}

describe('makeSprite', () => {
  test('knows where its face is, and is as large as the appearance ever shows it', async () => {
    const sprite = await makeSprite({ ...appearance, brightness: 1, blur: 0 }, photo);
    const bright = brightPart(sprite);
    expect(sprite.face.height).toBe(Math.max(...appearance.keyFrames.map(({ height }) => height)));
    expect(Math.abs(bright.height - sprite.face.height)).toBeLessThanOrEqual(1);
    expect(Math.abs(bright.x - sprite.face.x)).toBeLessThanOrEqual(1);
    expect(Math.abs(bright.y - sprite.face.y)).toBeLessThanOrEqual(1);
    expect(sprite.alpha[Math.round(sprite.face.y) * sprite.width + Math.round(sprite.face.x)]).toBe(255);
    expect(sprite.alpha[0]).toBe(0);
  });

  test('is dimmed and blurred', async () => {
    expect(brightPart(await makeSprite({ ...appearance, brightness: 0.5, blur: 0 }, photo)).value).toBeLessThan(130);
    const steepest = ({ width, yuv, face }: Sprite): number => {
      const row = Array.from(yuv.y.subarray(Math.round(face.y) * width, (Math.round(face.y) + 1) * width));
      return Math.max(...row.map((value, index) => Math.abs(value - (row[index + 1] ?? value))));
    };
    const [sharpEdge, softEdge] = [0, 1].map(async (blur) => steepest(await makeSprite({ ...appearance, brightness: 1, blur }, photo)));
    expect(await softEdge).toBeLessThan(0.6 * ((await sharpEdge) ?? 0));
  });
});

describe('enrolmentPictures', () => {
  test('are JPEG files of different sizes that show the face', async () => {
    const pictures = await enrolmentPictures('green', () => photo);
    const sizes = new Set<number>();
    for (const picture of pictures) {
      const { format, height } = await sharp(picture).metadata();
      expect(format).toBe('jpeg');
      sizes.add(height);
      const { channels } = await sharp(picture).stats();
      expect(channels[0]?.max).toBeGreaterThan(240);
    }
    expect(sizes.size).toBe(pictures.length);
    expect(pictures.length).toBeGreaterThanOrEqual(2);
  });

  test('of somebody who is in two photographs come from both', async () => {
    const used: number[] = [];
    await enrolmentPictures('medic', (number) => {
      used.push(number);
      return photo;
    });
    expect(new Set(used)).toEqual(new Set([1, 3]));
  });
});
