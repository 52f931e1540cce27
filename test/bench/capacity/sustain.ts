import type { Prepared } from '../../../provisioning/demo/prepare.ts';
import { type Watched, watchBox } from '../box/watch-box.ts';
import { findSustained } from './find-sustained.ts';

const SECONDS = 12;
/** Pictures a second of each camera that are looked at. */
const FPS = 5;
/** A camera whose own pictures come late is not kept up with either. */
const LEAST_FRAMES = 0.97;

export interface Sustained {
  readonly cameras: number;
  /** The run with so many cameras; null where not even one camera was kept up with. */
  readonly run: Watched | null;
}

/** Steps up the number of cameras with people in view until a frame is skipped. */
export async function sustain(prepared: Prepared, guess: number, say: (line: string) => void): Promise<Sustained> {
  const runs = new Map<number, Watched>();
  const cameras = await findSustained(guess, async (count) => {
    const run = await watchBox({ prepared, cameras: count, seconds: SECONDS });
    runs.set(count, run);
    say(`${count} cameras: ${run.frames} frames, ${run.skipped} skipped, ${run.corePct.toFixed(0)} % of a core`);
    return run.skipped === 0 && run.frames >= LEAST_FRAMES * FPS * count * SECONDS;
  });
  return { cameras, run: runs.get(cameras) ?? null };
}
