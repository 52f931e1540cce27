import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { withStaging } from '../../../models/registry/staging.ts';
import { CAMERAS } from './script.ts';

export interface FootageOptions {
  /** Folder of the photographs. */
  readonly photos: string;
  /** Folder that keeps the footage from one start to the next. */
  readonly cache: string;
  /** Told which share of all cameras' footage is done, 0..1. */
  readonly onProgress: (share: number) => void;
}

/**
 * The footage of every camera, filmed unless it was filmed by this very code before; two cameras at a time on two cores.
 * @returns file of the H.264 byte stream by the camera's id
 */
export async function makeFootage({ photos, cache, onProgress }: FootageOptions): Promise<ReadonlyMap<string, string>> {
  const version = codeVersion();
  const files = new Map(CAMERAS.map(({ id }) => [id, join(cache, `${id}-${version}.h264`)]));
  const missing = CAMERAS.filter(({ id }) => !existsSync(files.get(id) ?? ''));
  if (missing.length === 0) return files;
  const shares = new Map<string, number>(missing.map(({ id }) => [id, 0]));
  const queue = [...missing];
  await withStaging(cache, async (staging) => {
    const filmNext = async (): Promise<void> => {
      for (let camera = queue.shift(); camera !== undefined; camera = queue.shift()) {
        const { id } = camera;
        await film({ camera: id, photos, staging: join(staging, id), output: files.get(id) ?? '' }, (share) => {
          shares.set(id, share);
          onProgress(shares.values().reduce((sum, value) => sum + value, 0) / missing.length);
        });
      }
    };
    await Promise.all(Array.from({ length: Math.min(availableParallelism(), missing.length) }, filmNext));
  });
  for (const name of readdirSync(cache)) {
    if (name.endsWith('.h264') && !name.endsWith(`-${version}.h264`)) rmSync(join(cache, name));
  }
  return files;
}

export interface FilmingJob {
  readonly camera: string;
  readonly photos: string;
  /** File that is written first and then renamed to `output`. */
  readonly staging: string;
  readonly output: string;
}

function film(job: FilmingJob, onProgress: (share: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./film-worker.ts', import.meta.url), { workerData: job });
    worker.on('message', onProgress);
    worker.on('error', reject);
    worker.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`Filming ${job.camera} ended with code ${code}`))));
  });
}

/** Changes whenever anything that shapes the footage does. */
function codeVersion(): string {
  const hash = createHash('sha256');
  const folder = new URL('./', import.meta.url);
  for (const name of readdirSync(folder).sort()) hash.update(readFileSync(new URL(name, folder)));
  return hash.digest('hex').slice(0, 16);
}
