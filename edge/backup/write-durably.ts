import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';

/** A file's length and SHA-256 (hexadecimal). */
export interface FileSum {
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Writes a new file of mode 0600; it is on the disk when this resolves (its name is when its folder has been synced).
 * @param onBytes hears how many bytes were written so far
 */
export async function writeDurably(
  path: string,
  content: Iterable<Buffer> | AsyncIterable<Buffer>,
  onBytes?: (bytes: number) => void,
): Promise<FileSum> {
  const hash = createHash('sha256');
  const file = await open(path, 'wx', 0o600);
  let bytes = 0;
  try {
    for await (const chunk of content) {
      await file.writeFile(chunk);
      hash.update(chunk);
      bytes += chunk.length;
      onBytes?.(bytes);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { bytes, sha256: hash.digest('hex') };
}
