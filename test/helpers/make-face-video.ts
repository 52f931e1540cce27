import sharp from 'sharp';
import { H264Encoder } from '../../provisioning/demo/footage/h264-encoder.ts';
import { toYuv420, yuvOf } from '../../provisioning/demo/footage/yuv.ts';

const FORMAT = { width: 1280, height: 720, fps: 5 } as const;

export const FACE_VIDEO_FPS = FORMAT.fps;

/** A person's picture that moves evenly across a grey room, as an H.264 byte stream at 5 pictures a second. */
export async function makeFaceVideo(person: Buffer, seconds: number): Promise<Buffer> {
  const encoder = new H264Encoder(FORMAT);
  await encoder.start();
  const pictures = seconds * FORMAT.fps;
  for (let index = 0; index < pictures; index += 1) {
    const left = 150 + Math.round((index * 500) / pictures);
    const room = sharp({ create: { width: FORMAT.width, height: FORMAT.height, channels: 3, background: '#707070' } });
    const rgb = await room
      .composite([{ input: person, left, top: 180 }])
      .removeAlpha()
      .raw()
      .toBuffer();
    await encoder.encode(toYuv420(yuvOf(rgb), FORMAT.width, FORMAT.height));
  }
  return encoder.finish();
}
