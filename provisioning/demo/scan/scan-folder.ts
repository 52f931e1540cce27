import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from '../../../shared/errors/is-missing.ts';
import type { ByteSearch } from './byte-search.ts';

const CHUNK_BYTES = 4 * 1024 * 1024;

/** Labels of what was found, by file. */
export type Findings = ReadonlyMap<string, ReadonlySet<string>>;

/** The files in which something was found, in any of several searches. */
export function filesOf(searches: readonly Findings[]): ReadonlySet<string> {
  return new Set(searches.flatMap((findings) => Array.from(findings.keys())));
}

/** What was found, for people, each once. */
export function findingLines(searches: readonly Findings[]): ReadonlySet<string> {
  return new Set(
    searches.flatMap((findings) => Array.from(findings, ([file, labels]) => `${file} holds ${Array.from(labels).join('; ')}`)),
  );
}

/** Searches every file below a folder, also while others write there; what vanishes in between is passed over. */
export async function scanFolder(folder: string, search: ByteSearch): Promise<Findings> {
  const findings = new Map<string, Set<string>>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const found = await scanFile(path, search);
    if (found.size > 0) findings.set(path, found);
  }
  return findings;
}

async function scanFile(path: string, search: ByteSearch): Promise<Set<string>> {
  const found = new Set<string>();
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (isMissing(error)) return found;
    throw error;
  }
  try {
    const buffer = Buffer.alloc(CHUNK_BYTES);
    // What lies across two chunks is found in the second, which begins with the end of the first.
    let kept = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, kept, buffer.length - kept, null);
      if (bytesRead === 0) return found;
      const filled = kept + bytesRead;
      search.find(buffer.subarray(0, filled), found);
      kept = Math.min(filled, search.longest - 1);
      buffer.copyWithin(0, filled - kept, filled);
    }
  } finally {
    await file.close();
  }
}
