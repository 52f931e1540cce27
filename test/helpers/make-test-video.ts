import { H264Encoder, type VideoFormat } from '../../provisioning/demo/footage/h264-encoder.ts';

/** Brightness (luma) of picture `index` of a test video; neighbours differ by 3. */
export function testVideoLuma(index: number): number {
  return 40 + ((index * 3) % 150);
}

/** A short H.264 byte stream of plain grey pictures that tell their number by their brightness, with noise so that a picture fills several packets. */
export async function makeTestVideo(options: Partial<VideoFormat> & { pictures: number }): Promise<Buffer> {
  const format = { width: options.width ?? 320, height: options.height ?? 180, fps: options.fps ?? 25 };
  const encoder = new H264Encoder(format);
  await encoder.start();
  const pixels = format.width * format.height;
  const yuv = Buffer.alloc((pixels * 3) / 2, 128);
  let seed = 1;
  for (let index = 0; index < options.pictures; index += 1) {
    for (let at = 0; at < pixels; at += 1) {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      yuv[at] = testVideoLuma(index) + (seed >>> 28) - 8;
    }
    await encoder.encode(yuv);
  }
  return encoder.finish();
}
