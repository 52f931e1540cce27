import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Audit, AuditEvent } from './audit.ts';

/** Appends one JSON line an event to a file, each on the disk before the next thing happens. */
export class FileAudit implements Audit {
  readonly #path: string;
  #fd: number | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  record(event: AuditEvent): void {
    try {
      this.#fd ??= openSync(this.#path, 'a', 0o600);
      const line = Buffer.from(`${JSON.stringify(event)}\n`);
      if (writeSync(this.#fd, line) !== line.length) throw new Error('The line was cut off');
      fdatasyncSync(this.#fd);
    } catch (cause) {
      throw new SecureGateError('storage_failed', 'The audit line cannot be written', { cause });
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}
