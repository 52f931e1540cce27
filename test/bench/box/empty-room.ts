import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../../../models/registry/project-root.ts';
import { withStaging } from '../../../models/registry/staging.ts';
import { makeBackground } from '../../../provisioning/demo/footage/background.ts';
import { FRAME } from '../../../provisioning/demo/footage/script.ts';
import { VideoEncoder } from '../../../provisioning/demo/footage/video-encoder.ts';

const SECONDS = 12;
const HUE = 215;
/** Standard deviation of a sensor's noise indoors, levels of 255. Without it a still picture would cost a decoder nothing. */
const NOISE = 2;
/** Values of noise that are drawn once; each picture begins at another place among them. */
const DRAWN = 2 ** 20;

/** The file of a film of a room that nobody enters, as a camera with some noise sees it; kept from one run to the next. */
export async function emptyRoom(): Promise<string> {
  const code = createHash('sha256').update(await readFile(new URL(import.meta.url)));
  const cache = join(projectRoot(), '.cache', 'bench');
  const file = join(cache, `empty-room-${code.digest('hex').slice(0, 16)}.h264`);
  if (existsSync(file)) return file;
  await withStaging(cache, async (staging) => {
    await writeFile(join(staging, 'film'), await film());
    await rename(join(staging, 'film'), file);
  });
  return file;
}

async function film(): Promise<Buffer> {
  const room = await makeBackground(HUE);
  const random = parkMiller(1);
  const noise = Int8Array.from({ length: DRAWN }, () =>
    Math.round(NOISE * Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random())),
  );
  const encoder = new VideoEncoder(FRAME);
  await encoder.start();
  for (let picture = 0; picture < SECONDS * FRAME.fps; picture += 1) {
    const frame = Buffer.from(room);
    const from = Math.floor(random() * DRAWN);
    for (let pixel = 0; pixel < FRAME.width * FRAME.height; pixel += 1) {
      frame[pixel] = Math.min(255, Math.max(0, (room[pixel] as number) + (noise[(from + pixel) % DRAWN] as number)));
    }
    await encoder.encode(frame);
  }
  return encoder.finish();
}

/** Park and Miller's generator: the same film on every machine. */
function parkMiller(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}
