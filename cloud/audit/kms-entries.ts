import { createHash } from 'node:crypto';
import type { Kysely } from 'kysely';
import { z } from 'zod';
import type { AuditEntry } from '../../shared/audit/audit-entry.ts';
import { kmsEntry } from '../../shared/audit/kms-entry.ts';
import type { ErrorCode } from '../../shared/errors/codes.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import type { KmsClient } from '../kms/client.ts';
import type { Database } from '../store/database.ts';
import { type AppendOptions, appendEntries } from './append-entries.ts';

export interface KmsEntriesOptions extends AppendOptions {
  readonly db: Kysely<Database>;
  readonly kms: Pick<KmsClient, 'call'>;
  readonly logger: Logger;
}

const lineSchema = z.looseObject({
  at: z.iso.datetime(),
  call: z.string(),
  phase: z.enum(['asked', 'answered']),
  operation: z.string(),
  outcome: z.string().optional(),
  org: z.string().optional(),
  tenant: z.string().optional(),
  device: z.string().optional(),
  epoch: z.int().optional(),
  use: z.string().optional(),
});

/** In place of bytes that are no text: how many they were is not known any more. */
const UNREADABLE = '\uFFFD';

/** What changes nothing and hands nothing out. */
const READING = new Set([
  'getAdmins',
  'signedAdmins',
  'listEpochs',
  'listLostKeys',
  'getMove',
  'listLostBoxes',
  'listLeft',
  'listHolders',
  'assignedTenants',
  'challenge',
  'signingKey',
  'keyHistory',
]);

/**
 * Brings into the log what the KMS says that it did, with the hash of the line that it wrote down itself: the KMS need not trust the control
 * plane, and neither can change what it has said without the other.
 */
export class KmsEntries {
  readonly #options: KmsEntriesOptions;
  /** The last line that this process has fetched, and where it ends: what comes next has to stand behind it. */
  #last: { readonly line: string; readonly end: number } | undefined;

  constructor(options: KmsEntriesOptions) {
    this.#options = options;
  }

  /** Fetches what is new. Any number of processes may do so at a time. @throws {SecureGateError} `kms_unavailable` */
  async fetch(): Promise<void> {
    while (await this.#fetchSome());
  }

  /** @returns whether there may be more */
  async #fetchSome(): Promise<boolean> {
    const { db, kms } = this.#options;
    const { kms_offset: offset } = await db.selectFrom('log').select('kms_offset').executeTakeFirstOrThrow();
    const last = this.#last?.end === offset ? this.#last : undefined;
    try {
      const { lines, next } = await kms.call('auditSince', { offset: offset - (last ? bytesOf(last.line) : 0) });
      if (last && lines.shift() !== last.line) {
        throw new SecureGateError('kms_audit_truncated', 'The last line of the audit of the KMS is not what it was');
      }
      const line = lines.at(-1);
      if (line !== undefined && !line.includes(UNREADABLE)) this.#last = { line, end: next };
      return (
        next > offset &&
        (await this.#append(
          offset,
          next,
          lines.flatMap((one) => this.#entryOf(one)),
        ))
      );
    } catch (error) {
      const { code } = SecureGateError.from(error);
      if (code !== 'kms_audit_truncated') throw error;
      this.#options.logger.error({ err: error, offset }, "the KMS's own audit is shorter than it was: it is read anew from its beginning");
      return await this.#append(offset, 0, [this.#trouble(code, '')]);
    }
  }

  /** @returns whether this process is the one that went on from there */
  async #append(offset: number, next: number, entries: readonly AuditEntry[]): Promise<boolean> {
    return await this.#options.db.transaction().execute(async (within) => {
      const { numUpdatedRows } = await within
        .updateTable('log')
        .set({ kms_offset: next })
        .where('kms_offset', '=', offset)
        .executeTakeFirst();
      if (numUpdatedRows > 0n && entries.length > 0) await appendEntries(within, entries, this.#options);
      return numUpdatedRows > 0n;
    });
  }

  #entryOf(line: string): AuditEntry[] {
    const read = lineSchema.safeParse(parsed(line));
    // A power cut can have cut off a line, and the next one goes on where it ended.
    if (!read.success) return [this.#trouble('storage_failed', hashOf(line))];
    const { at, call, phase, operation, outcome = '', org = '', tenant = '', device, epoch, use } = read.data;
    // The signature of a head of the log would need another head, for ever.
    if (phase === 'asked' || READING.has(operation) || (operation === 'sign' && use === 'audit')) return [];
    const target = device ?? use ?? (epoch === undefined ? '' : String(epoch));
    return [kmsEntry({ at: Date.parse(at), call, operation, org, tenant, target, outcome, evidence: hashOf(line) })];
  }

  /** Something is wrong with the KMS's own audit. */
  #trouble(outcome: ErrorCode, evidence: string): AuditEntry {
    return kmsEntry({ at: this.#options.now(), call: '', operation: 'audit', org: '', tenant: '', target: '', outcome, evidence });
  }
}

/** With its end. */
function bytesOf(line: string): number {
  return Buffer.byteLength(line) + 1;
}

function hashOf(line: string): string {
  return createHash('sha256').update(line).digest('base64url');
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
