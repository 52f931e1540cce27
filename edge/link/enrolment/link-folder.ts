import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { type Enrolment, enrolmentSchema } from '../../../shared/fleet/enrolment.ts';
import { readKeyFile } from '../../runtime/read-key-file.ts';
import { writeFileDurably } from '../../runtime/write-file-durably.ts';
import { LogMemory } from '../witness/log-memory.ts';
import { CredentialLinkKey } from './credential-link-key.ts';
import { FileLinkKey } from './file-link-key.ts';
import type { LinkKey } from './link-key.ts';

const FOLDER = 'link';
const FILE = 'enrolment.json';
const LOG_FILE = 'log.json';
const EVIDENCE_FILE = 'log-evidence.jsonl';

/** Where an enrolled box keeps what its control plane told it (enrolment.ts). */
export function enrolmentFile(keyDir: string): string {
  return join(keyDir, FOLDER, FILE);
}

/** Where an enrolled box keeps what it knows of its control plane. One file holds it all, so that a crash leaves the old or the new. */
export class LinkFolder {
  readonly key: LinkKey;
  readonly #folder: string;

  /** @param credential name of the systemd credential that is the key; without it the key is a file */
  constructor(keyDir: string, credential: string | undefined) {
    this.#folder = join(keyDir, FOLDER);
    this.key = credential === undefined ? new FileLinkKey(this.#folder) : new CredentialLinkKey(credential);
  }

  /** Where the box remembers the control plane's log, and what speaks against it. */
  get log(): LogMemory {
    return new LogMemory(join(this.#folder, LOG_FILE), join(this.#folder, EVIDENCE_FILE));
  }

  make(): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
  }

  /** @returns undefined on a box that is not enrolled @throws {SecureGateError} `key_file_unsafe`, `storage_failed` */
  find(): Enrolment | undefined {
    try {
      return enrolmentSchema.parse(JSON.parse(readKeyFile(join(this.#folder, FILE)).toString()));
    } catch (cause) {
      if (cause instanceof SecureGateError && cause.code === 'key_file_missing') return undefined;
      if (cause instanceof SecureGateError) throw cause;
      throw new SecureGateError('storage_failed', 'What this box knows of its control plane cannot be read: enrol it anew', {
        cause,
        details: { folder: this.#folder },
      });
    }
  }

  /** @throws {SecureGateError} `not_enrolled`, and those of {@link find} */
  read(): Enrolment {
    const enrolment = this.find();
    if (enrolment === undefined) throw new SecureGateError('not_enrolled', 'This box is not enrolled');
    return enrolment;
  }

  write(enrolment: Enrolment): void {
    writeFileDurably(join(this.#folder, FILE), Buffer.from(`${JSON.stringify(enrolment, null, 2)}\n`));
  }

  /** The box has left. The key goes last: without the file, the box is not enrolled. What speaks against the control plane stays. */
  clear(): void {
    for (const file of [FILE, LOG_FILE]) rmSync(join(this.#folder, file), { force: true });
    this.key.forget();
  }
}
