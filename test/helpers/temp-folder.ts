import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { noteKeyFiles } from './secrecy/note-key-files.ts';

/** A folder for one test, removed when the test has ended; the keys in it are noted as secret. */
export async function tempFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'securegate-test-'));
  onTestFinished(async () => {
    noteKeyFiles(folder);
    // What a killed daemon started ends when it notices, and may write until then.
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  });
  return folder;
}
