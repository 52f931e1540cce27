import { closeSync, fdatasyncSync, openSync, readSync, writeSync } from 'node:fs';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Audit, AuditEvent, AuditLines } from './audit.ts';

/** Told at a time; longer than any line. */
const MOST_BYTES = 64 * 1024;
const NEWLINE = 10;

/** Appends one JSON line an event to a file, each on the disk before the next thing happens. */
export class FileAudit implements Audit {
  readonly #path: string;
  #fd: number | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  record(event: AuditEvent): void {
    try {
      this.#fd ??= openSync(this.#path, 'a+', 0o600);
      const line = Buffer.from(`${JSON.stringify(event)}\n`);
      if (writeSync(this.#fd, line) !== line.length) throw new Error('The line was cut off');
      fdatasyncSync(this.#fd);
    } catch (cause) {
      throw new SecureGateError('storage_failed', 'The audit line cannot be written', { cause });
    }
  }

  since(offset: number): AuditLines {
    let told: Buffer;
    try {
      this.#fd ??= openSync(this.#path, 'a+', 0o600);
      // With the byte before, where a line has to end.
      told = Buffer.alloc(MOST_BYTES);
      told = told.subarray(0, readSync(this.#fd, told, 0, told.length, Math.max(0, offset - 1)));
    } catch (cause) {
      throw new SecureGateError('storage_failed', 'The audit cannot be read', { cause });
    }
    if (offset > 0 && told[0] !== NEWLINE) throw new SecureGateError('kms_audit_truncated', 'The audit of the KMS is not what it was');
    const fresh = told.subarray(offset > 0 ? 1 : 0);
    const end = fresh.lastIndexOf(NEWLINE) + 1;
    return { lines: fresh.subarray(0, end).toString('utf8').split('\n').slice(0, -1), next: offset + end };
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}
