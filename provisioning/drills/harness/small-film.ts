import { FRAME } from '../../demo/footage/script.ts';
import { VideoEncoder, type VideoFormat } from '../../demo/footage/video-encoder.ts';

const SIZE = { width: 640, height: 360 } as const;

/** Two seconds of a grey room, a quarter of the size of the demo's pictures. */
export async function smallFilm(codec: NonNullable<VideoFormat['codec']> = 'h264'): Promise<Buffer> {
  const encoder = new VideoEncoder({ ...SIZE, fps: FRAME.fps, codec });
  await encoder.start();
  const grey = Buffer.alloc((SIZE.width * SIZE.height * 3) / 2, 128);
  for (let picture = 0; picture < 2 * FRAME.fps; picture += 1) await encoder.encode(grey);
  return encoder.finish();
}
