import sharp from 'sharp';
import { VideoEncoder } from '../../provisioning/demo/footage/video-encoder.ts';
import { toYuv420, yuvOf } from '../../provisioning/demo/footage/yuv.ts';

const FORMAT = { width: 1280, height: 720, fps: 5 } as const;

export const FACE_VIDEO_FPS = FORMAT.fps;

/**
 * A person's picture that moves evenly across a grey room, as an H.264 byte stream at 5 pictures a second.
 * @param grain standard deviation of the room's brightness: grain makes pictures large
 */
export async function makeFaceVideo(person: Buffer, seconds: number, grain = 0): Promise<Buffer> {
  const { width, height, fps } = FORMAT;
  const room = await sharp({
    create: { width, height, channels: 3, background: '#707070', noise: { type: 'gaussian', mean: 0x70, sigma: grain } },
  })
    .png()
    .toBuffer();
  const encoder = new VideoEncoder(FORMAT);
  await encoder.start();
  const pictures = seconds * fps;
  for (let index = 0; index < pictures; index += 1) {
    const left = 150 + Math.round((index * 500) / pictures);
    const rgb = await sharp(room)
      .composite([{ input: person, left, top: 180 }])
      .removeAlpha()
      .raw()
      .toBuffer();
    await encoder.encode(toYuv420(yuvOf(rgb), width, height));
  }
  return encoder.finish();
}
