import { VideoEncoder, type VideoFormat } from '../../provisioning/demo/footage/video-encoder.ts';

/** Brightness (luma) of picture `index` of a test video; neighbours differ by 3. */
export function testVideoLuma(index: number): number {
  return 40 + ((index * 3) % 150);
}

/** A short byte stream (H.264 unless another codec is wanted) of plain grey pictures that tell their number by their brightness, with noise so that a picture fills several packets. */
export async function makeTestVideo(options: Partial<VideoFormat> & { pictures: number }): Promise<Buffer> {
  const { width = 320, height = 180, fps = 25, codec = 'h264' } = options;
  const format = { width, height, fps, codec };
  const encoder = new VideoEncoder(format);
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
