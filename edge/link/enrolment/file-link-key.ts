import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readKeyFile } from '../../runtime/read-key-file.ts';
import { writeFileDurably } from '../../runtime/write-file-durably.ts';
import type { LinkKey } from './link-key.ts';
import { parseLinkKey } from './parse-link-key.ts';

/** The key as a file `key.p8` (PKCS#8, DER), mode 0600. It is on the disk before anybody hears of it. */
export class FileLinkKey implements LinkKey {
  readonly #file: string;

  /** @param folder of the link, which must exist */
  constructor(folder: string) {
    this.#file = join(folder, 'key.p8');
  }

  open(): KeyObject {
    if (!existsSync(this.#file)) this.#make();
    return parseLinkKey(readKeyFile(this.#file));
  }

  forget(): void {
    rmSync(this.#file, { force: true });
  }

  #make(): void {
    const bytes = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'der' });
    try {
      writeFileDurably(this.#file, bytes);
    } finally {
      bytes.fill(0);
    }
  }
}
