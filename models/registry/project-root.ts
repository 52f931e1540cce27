import { fileURLToPath } from 'node:url';

/** Folder that holds `package.json` and the sources. */
export function projectRoot(): string {
  return fileURLToPath(new URL('../..', import.meta.url));
}
