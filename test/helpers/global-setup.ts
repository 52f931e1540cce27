import { appendFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../models/registry/project-root.ts';
import { embeddedModels } from './embedded-models.ts';
import { samplePhotos } from './sample-photos.ts';
import { makeRunFolder, runFolder, saidFile } from './secrecy/run-folder.ts';
import { searchRun } from './secrecy/search-run.ts';

/**
 * Brings the models and photographs that many tests need, once and before any of them, so that no two fetch at a time.
 * @returns ends the run with a search of all that was said in it for every secret that it used
 */
export default async function setUp(): Promise<() => void> {
  process.stderr.write('tests: making sure that models and sample photographs are there\n');
  await Promise.all([embeddedModels(), samplePhotos()]);
  // Hundreds of processes are started from here, and each would compile the same sources again.
  process.env.NODE_COMPILE_CACHE ??= join(projectRoot(), '.cache', 'compiled');
  // Each project of the tests is set up; the run is one.
  if (runFolder() !== undefined) return () => undefined;
  const folder = makeRunFolder();
  const ends = [process.stdout, process.stderr].map((stream) => writeDown(stream, saidFile(folder)));
  return () => {
    // What a process says that is slow to end is too late to be searched.
    for (const end of ends) end();
    const { found, secrets, bytes } = searchRun(folder);
    process.stderr.write(`tests: ${secrets} secrets looked for in ${bytes} bytes that were said: ${found.length} found\n`);
    if (found.length > 0) throw new Error(`secrets were told, and lie there to be looked at:\n${found.join('\n')}`);
    rmSync(folder, { recursive: true });
  };
}

/** What the workers say, and what their processes say by them, comes out here. @returns ends it */
function writeDown(stream: NodeJS.WriteStream, file: string): () => void {
  const write = stream.write.bind(stream) as (chunk: string | Uint8Array, ...rest: unknown[]) => boolean;
  stream.write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    appendFileSync(file, chunk);
    return write(chunk, ...rest);
  };
  return () => {
    stream.write = write as typeof stream.write;
  };
}
