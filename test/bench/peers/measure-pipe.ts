import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { pause } from '../../../edge/runtime/pause.ts';
import { startCameras } from '../../../provisioning/demo/camera/start-cameras.ts';
import { FRAME } from '../../../provisioning/demo/footage/script.ts';
import { readTree } from '../box/process-tree.ts';

export interface PipeFigures {
  readonly corePct: number;
  readonly cpuMsPerFrame: number;
  readonly frames: number;
}

const WARM_UP_MS = 4000;

/** @returns the first line of what Debian's `ffmpeg` says of itself; null without it */
export function ffmpegVersion(): string | null {
  const { stdout, error } = spawnSync('ffmpeg', ['-version'], { encoding: 'utf8' });
  return error === undefined ? (stdout.split(' Copyright')[0] ?? null) : null;
}

/** Measures `pipe-process.ts` on the films, one camera each: CPU of Node and of its ffmpegs. */
export async function measurePipe(films: readonly string[], seconds: number): Promise<PipeFigures> {
  const cameras = await startCameras({
    videos: Object.fromEntries(films.map((film, index) => [`camera-${index}`, film])),
    fps: FRAME.fps,
    end: 'loop',
  });
  const child = fork(fileURLToPath(new URL('./pipe-process.ts', import.meta.url)));
  const exited = once(child, 'exit');
  const look = async (message: unknown): Promise<{ at: number; frames: number; cpuMs: number }> => {
    child.send(message as never);
    const [frames] = (await once(child, 'message')) as [number];
    return { at: performance.now(), frames, cpuMs: readTree(child.pid ?? 0).cpuMs };
  };
  const never = new AbortController().signal;
  try {
    await look(Object.values(cameras.urls));
    await pause(WARM_UP_MS, never);
    const before = await look('count');
    await pause(seconds * 1000, never);
    const after = await look('count');
    const cpuMs = after.cpuMs - before.cpuMs;
    const frames = after.frames - before.frames;
    return { corePct: (100 * cpuMs) / (after.at - before.at), cpuMsPerFrame: cpuMs / frames, frames };
  } finally {
    child.disconnect();
    await exited;
    await cameras.stop();
  }
}
