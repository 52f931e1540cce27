import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import type { LogUpdate } from '../../../shared/audit/follow-log.ts';
import { logTokenSchema } from '../../../shared/audit/log-tokens.ts';
import type { ErrorCode } from '../../../shared/errors/codes.ts';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { writeFileDurably } from '../../runtime/write-file-durably.ts';

/** A control plane that lies on and on does not fill the disk. */
const MOST_LINES = 100;

const keptSchema = z.strictObject({ version: z.literal(1), head: logTokenSchema });

/** Something that speaks against the control plane: what the box had, and what it was offered. Both are signed by it. */
export interface Evidence {
  /** ISO 8601. */
  readonly at: string;
  readonly reason: ErrorCode;
  readonly kept: string;
  readonly offered: LogUpdate;
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
    if (!existsSync(this.#file)) return undefined;
    try {
      return keptSchema.parse(JSON.parse(readFileSync(this.#file, 'utf8'))).head;
    } catch (cause) {
      throw new SecureGateError('storage_failed', 'What this box knows of the log of its control plane cannot be read', {
        cause,
        details: { file: this.#file },
      });
    }
  }

  keep(head: string): void {
    writeFileDurably(this.#file, Buffer.from(`${JSON.stringify({ version: 1, head })}\n`));
  }

  /** @returns whether it is new */
  accuse(evidence: Evidence): boolean {
    const lines = this.#lines();
    const isKnown = lines.some(({ reason, offered }) => reason === evidence.reason && offered.head === evidence.offered.head);
    if (isKnown || lines.length >= MOST_LINES) return false;
    const text = [...lines, evidence].map((line) => `${JSON.stringify(line)}\n`).join('');
    writeFileDurably(this.#evidenceFile, Buffer.from(text));
    return true;
  }

  /** Why somebody should look. */
  accusations(): ErrorCode[] {
    return [...new Set(this.#lines().map(({ reason }) => reason))];
  }

  #lines(): Evidence[] {
    if (!existsSync(this.#evidenceFile)) return [];
    const lines = readFileSync(this.#evidenceFile, 'utf8').split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line) as Evidence);
  }
}
