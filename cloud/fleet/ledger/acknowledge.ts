import { createHash } from 'node:crypto';
import type { Kysely } from 'kysely';
import { settledEntry } from '../../../shared/audit/settled-entry.ts';
import type { AckClaims } from '../../../shared/fleet/ack.ts';
import type { AuditLog } from '../../audit/audit-log.ts';
import type { Database } from '../../store/database.ts';
import type { Links } from './links.ts';
import { moveCommand } from './move-command.ts';

/** A word of a box that holds. */
export interface Word {
  readonly org: string;
  readonly device: string;
  readonly token: string;
  readonly claims: AckClaims;
}

/** A last word that is written down. */
export interface Kept {
  /** SHA-256 of the word, base64url. */
  readonly digest: string;
  readonly receipt: string;
  /** Whether this process is the one that wrote it down. */
  readonly isNew: boolean;
}

export interface AcknowledgeOptions {
  readonly db: Kysely<Database>;
  readonly links: Links;
  readonly audit: AuditLog;
  readonly now: () => number;
}

/**
 * Writes down what a box says of a command, together with its last word itself, whose hash is in the log. The same word again changes nothing.
 * @param receipt id under which a last word is kept, where it is new
 * @returns undefined where it was not its last word
 */
export async function acknowledge({ db, links, audit, now }: AcknowledgeOptions, word: Word, receipt: string): Promise<Kept | undefined> {
  const { org, device, token, claims } = word;
  const { command, state, reason = '', pair } = claims;
  const at = now();
  return await db.transaction().execute(async (within) => {
    const known = await within
      .selectFrom('commands')
      .select('id')
      .where('id', '=', command)
      .where('device', '=', device)
      .executeTakeFirst();
    if (known) await moveCommand(within, command, state, { reason }, at);
    await links.told(within, device, pair);
    if (state === 'IN_PROGRESS') return undefined;
    const digest = createHash('sha256').update(token).digest('base64url');
    const { numInsertedOrUpdatedRows = 0n } = await within
      .insertInto('receipts')
      .values({ id: receipt, digest, org, device, command, state, reason, token, at })
      .onConflict((conflict) => conflict.column('digest').doNothing())
      .executeTakeFirst();
    const isNew = numInsertedOrUpdatedRows > 0n;
    if (isNew) {
      const outcome = state === 'SUCCEEDED' ? 'done' : reason;
      await audit.recordWithin(within, settledEntry({ at, receipt, org, device, command, outcome, digest }));
    }
    const { id } = await within.selectFrom('receipts').select('id').where('digest', '=', digest).executeTakeFirstOrThrow();
    return { digest, receipt: id, isNew };
  });
}
