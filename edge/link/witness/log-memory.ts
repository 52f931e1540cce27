import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import type { LogUpdate } from '../../../shared/audit/follow-log.ts';
import { logTokenSchema } from '../../../shared/audit/log-tokens.ts';
import type { ErrorCode } from '../../../shared/errors/codes.ts';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { writeFileDurably } from '../../runtime/write-file-durably.ts';

/** A control plane that lies on and on does not fill the disk, and hides no lie of another kind behind those that cost it nothing. */
const MOST_OF_A_REASON = 20;

const keptSchema = z.strictObject({
  version: z.literal(1),
  head: logTokenSchema,
  /** Whether a head was held in the TPM as well (log-anchor.ts). */
  anchored: z.boolean().default(false),
});
type Kept = z.output<typeof keptSchema>;

/** Something that somebody should look at: what the box had, and what it was offered, by the control plane or by a disk that was put back. */
export interface Evidence {
  /** ISO 8601. */
  readonly at: string;
  readonly reason: ErrorCode;
  readonly kept: string;
  readonly offered: Pick<LogUpdate, 'head'>;
}

/** The head of the log that a box has signed last, and evidence against those who keep the log: a line each, until somebody takes the file away. */
export class LogMemory {
  readonly #file: string;
  readonly #evidenceFile: string;

  constructor(file: string, evidenceFile: string) {
    this.#file = file;
    this.#evidenceFile = evidenceFile;
  }

  /** @returns undefined before the first @throws {SecureGateError} `storage_failed` */
  kept(): string | undefined {
    return this.#read()?.head;
  }

  /** Whether the TPM held a head when this one was kept. @throws {SecureGateError} `storage_failed` */
  wasAnchored(): boolean {
    return this.#read()?.anchored ?? false;
  }

  keep(head: string, anchored = false): void {
    const kept: Kept = { version: 1, head, anchored };
    writeFileDurably(this.#file, Buffer.from(`${JSON.stringify(kept)}\n`));
  }

  /** @returns whether it is new @throws {SecureGateError} `storage_failed` */
  accuse(evidence: Evidence): boolean {
    const lines = this.#lines();
    const alike = lines.filter(({ reason }) => reason === evidence.reason);
    if (alike.length >= MOST_OF_A_REASON || alike.some(({ offered }) => offered.head === evidence.offered.head)) return false;
    const text = [...lines, evidence].map((line) => `${JSON.stringify(line)}\n`).join('');
    writeFileDurably(this.#evidenceFile, Buffer.from(text));
    return true;
  }

  /** Why somebody should look: also at evidence that cannot be read. */
  accusations(): ErrorCode[] {
    try {
      return [...new Set(this.#lines().map(({ reason }) => reason))];
    } catch (error) {
      return [SecureGateError.from(error).code];
    }
  }

  #read(): Kept | undefined {
    if (!existsSync(this.#file)) return undefined;
    try {
      return keptSchema.parse(JSON.parse(readFileSync(this.#file, 'utf8')));
    } catch (cause) {
      throw new SecureGateError('storage_failed', 'What this box knows of the log of its control plane cannot be read', {
        cause,
        details: { file: this.#file },
      });
    }
  }

  #lines(): Evidence[] {
    if (!existsSync(this.#evidenceFile)) return [];
    try {
      const lines = readFileSync(this.#evidenceFile, 'utf8').split('\n').filter(Boolean);
      return lines.map((line) => JSON.parse(line) as Evidence);
    } catch (cause) {
      throw new SecureGateError('storage_failed', 'The evidence against the log of the control plane cannot be read', {
        cause,
        details: { file: this.#evidenceFile },
      });
    }
  }
}
