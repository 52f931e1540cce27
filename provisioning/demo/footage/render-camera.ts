import { makeBackground } from './background.ts';
import { blit } from './blit.ts';
import { faceBoxAt } from './face-box-at.ts';
import { type Appearance, type DemoCamera, DURATION_MS, FRAME } from './script.ts';
import { makeSprite, type Sprite } from './sprite.ts';
import { VideoEncoder } from './video-encoder.ts';

export interface RenderOptions {
  readonly camera: DemoCamera;
  readonly appearances: readonly Appearance[];
  /** File of a photograph by its number. */
  readonly photo: (number: number) => string;
  /** Told now and then which share is done, 0..1. */
  readonly onProgress: (share: number) => void;
}

/** The whole footage of one camera as an H.264 byte stream. */
export async function renderCamera({ camera, appearances, photo, onProgress }: RenderOptions): Promise<Buffer> {
  const background = await makeBackground(camera.hue);
  const cast: { appearance: Appearance; sprite: Sprite }[] = [];
  for (const appearance of appearances) cast.push({ appearance, sprite: await makeSprite(appearance, photo(appearance.photo)) });
  const encoder = new VideoEncoder(FRAME);
  await encoder.start();
  const frame = Buffer.alloc(background.length);
  const pictures = (DURATION_MS * FRAME.fps) / 1000;
  for (let index = 0; index < pictures; index += 1) {
    background.copy(frame);
    const ms = (index * 1000) / FRAME.fps;
    const present = cast.flatMap(({ appearance, sprite }) => {
      const box = faceBoxAt(appearance, ms);
      return box === undefined ? [] : [{ sprite, box }];
    });
    // Who is larger is nearer to the camera and hides the others.
    present.sort((a, b) => a.box.height - b.box.height);
    for (const { sprite, box } of present) blit(frame, FRAME, sprite, box);
    await encoder.encode(frame);
    if ((index + 1) % FRAME.fps === 0) onProgress((index + 1) / pictures);
  }
  return encoder.finish();
}
