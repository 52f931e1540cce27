import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { decodeStill } from '../../../../../edge/pipeline/decode/decode-still.ts';

const picture = (width: number, height: number) => sharp({ create: { width, height, channels: 3, background: { r: 200, g: 30, b: 90 } } });
const noise = sharp({
  create: { width: 400, height: 300, channels: 3, background: '#888', noise: { type: 'gaussian', mean: 128, sigma: 40 } },
});

function pngOf(width: number, height: number, rows: Buffer): Buffer {
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const frame = Buffer.alloc(8 + body.length);
    frame.writeUInt32BE(data.length, 0);
    body.copy(frame, 4);
    frame.writeUInt32BE(crc32(body), frame.length - 4);
    return frame;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}

test.each(['jpeg', 'png', 'webp'] as const)('%s is decoded to RGB', async (format) => {
  const image = await decodeStill(await picture(64, 48).toFormat(format).toBuffer());
  expect(image).toMatchObject({ width: 64, height: 48 });
  expect(image.data.length).toBe(64 * 48 * 3);
  const [red, green, blue] = image.data;
  expect([red, green, blue].map((value, index) => Math.abs((value ?? 0) - ([200, 30, 90][index] ?? 0)) <= 6)).toEqual([true, true, true]);
});

test('a picture is turned upright by its EXIF orientation', async () => {
  const image = await decodeStill(await picture(64, 48).jpeg().withMetadata({ orientation: 6 }).toBuffer());
  expect(image).toMatchObject({ width: 48, height: 64 });
});

test('grey and transparent pictures become three channels', async () => {
  const grey = await decodeStill(await picture(20, 10).greyscale().png().toBuffer());
  const clear = await decodeStill(await picture(20, 10).ensureAlpha(0.5).png().toBuffer());
  expect([grey.data.length, clear.data.length]).toEqual([600, 600]);
});

test('a large picture is scaled down to 1920 pixels', async () => {
  expect(await decodeStill(await picture(3000, 1500).jpeg().toBuffer())).toMatchObject({ width: 1920, height: 960 });
});

test.each([
  ['text', Buffer.from('hello, I am a picture')],
  ['nothing', Buffer.alloc(0)],
  ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"/>')],
  ['GIF', Buffer.from('GIF89a\x01\x00\x01\x00\x00\x00\x00;', 'latin1')],
])('%s is not a picture', async (_, file) => {
  await expect(decodeStill(file)).rejects.toMatchObject({ code: 'not_an_image' });
});

test.each(['jpeg', 'png', 'webp'] as const)('a %s that is cut off is refused wherever it is cut', async (format) => {
  const whole = await noise.clone().toFormat(format).toBuffer();
  for (const share of [0.1, 0.5, 0.9]) {
    await expect(decodeStill(whole.subarray(0, Math.floor(whole.length * share)))).rejects.toMatchObject({ code: 'image_truncated' });
  }
});

test('a picture of no pixels is empty', async () => {
  await expect(decodeStill(pngOf(0, 0, Buffer.alloc(0)))).rejects.toMatchObject({ code: 'image_empty' });
  const jpeg = await picture(64, 48).jpeg().toBuffer();
  const frameHeader = jpeg.indexOf(Buffer.from([0xff, 0xc0]));
  jpeg.writeUInt16BE(0, frameHeader + 5);
  await expect(decodeStill(jpeg)).rejects.toMatchObject({ code: 'image_empty' });
});

test('a bomb is refused by its header, before it unfolds', async () => {
  const bomb = pngOf(60_000, 60_000, Buffer.alloc(1_000_000));
  expect(bomb.length).toBeLessThan(2000);
  await expect(decodeStill(bomb)).rejects.toMatchObject({ code: 'image_too_large', details: { width: 60_000, height: 60_000 } });
});

test('a file beyond the size limit is refused unread', async () => {
  const file = Buffer.alloc(21 * 1024 * 1024);
  file.set([0xff, 0xd8, 0xff]);
  await expect(decodeStill(file)).rejects.toMatchObject({ code: 'image_too_large' });
});
