import { createHash } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { AuditEntry } from '../../../shared/audit/audit-entry.ts';
import { SETTLED, settledEntry } from '../../../shared/audit/settled-entry.ts';
import type { AckClaims } from '../../../shared/fleet/ack.ts';
import type { AuditLog } from '../../audit/audit-log.ts';
import type { Database } from '../../store/database.ts';
import type { Links } from './links.ts';
import { moveCommand } from './move-command.ts';

/** A word of a box that holds. */
export interface Word {
  /** Id under which it is kept, where it is a last word that is new. */
  readonly receipt: string;
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
  readonly links: Pick<Links, 'told' | 'wake'>;
  readonly audit: AuditLog;
  readonly now: () => number;
}

/**
 * Writes down what boxes say of commands, together with their last words themselves, whose hashes are in the log. The same word again changes
 * nothing, also where it is not kept any more: the log knows it. A box whose word is new is looked at: something may wait for it.
 * @returns for each undefined where it was not the last word
 */
export async function acknowledge(options: AcknowledgeOptions, words: readonly Word[]): Promise<(Kept | undefined)[]> {
  const { db, links, audit } = options;
  const at = options.now();
  const ids = words.map(({ claims }) => claims.command);
  const known = await db.selectFrom('commands').select(['id', 'device']).where('id', 'in', ids).execute();
  const deviceOf = new Map(known.map(({ id, device }) => [id, device]));
  const over = await findLogged(db, words);
  return await db.transaction().execute(async (within) => {
    const kept: (Kept | undefined)[] = [];
    for (const word of words) {
      const { device, claims } = word;
      const { command, state, reason = '', pair } = claims;
      if (deviceOf.get(command) === device) await moveCommand(within, command, state, { reason }, at);
      if (pair !== undefined) await links.told(within, device, pair);
      kept.push(state === 'IN_PROGRESS' ? undefined : (over.get(digestOf(word.token)) ?? (await keep(within, word, at))));
    }
    const fresh = words.filter((_word, index) => kept[index]?.isNew);
    await audit.recordWithin(within, ...fresh.map((word) => entryOf(word, at)));
    await links.wake(
      fresh.map(({ device }) => device),
      within,
    );
    return kept;
  });
}

/** Last words that came before, by their hashes. */
async function findLogged(db: Kysely<Database>, words: readonly Word[]): Promise<ReadonlyMap<string, Kept>> {
  const digests = words.flatMap(({ claims, token }) => (claims.state === 'IN_PROGRESS' ? [] : [digestOf(token)]));
  if (digests.length === 0) return new Map();
  const logged = await db
    .selectFrom('audit')
    .select(['evidence', 'request'])
    .where('evidence', 'in', digests)
    .where('operation', '=', SETTLED)
    .execute();
  return new Map(logged.map(({ evidence: digest, request: receipt }) => [digest, { digest, receipt, isNew: false }]));
}

async function keep(db: Kysely<Database>, { receipt, org, device, token, claims }: Word, at: number): Promise<Kept> {
  const { command, state, reason = '' } = claims;
  const digest = digestOf(token);
  const { numInsertedOrUpdatedRows = 0n } = await db
    .insertInto('receipts')
    .values({ id: receipt, digest, org, device, command, state, reason, token, at })
    .onConflict((conflict) => conflict.column('digest').doNothing())
    .executeTakeFirst();
  if (numInsertedOrUpdatedRows > 0n) return { digest, receipt, isNew: true };
  const { id } = await db.selectFrom('receipts').select('id').where('digest', '=', digest).executeTakeFirstOrThrow();
  return { digest, receipt: id, isNew: false };
}

function entryOf({ receipt, org, device, token, claims }: Word, at: number): AuditEntry {
  const { command, state, reason = '' } = claims;
  return settledEntry({ at, receipt, org, device, command, outcome: state === 'SUCCEEDED' ? 'done' : reason, digest: digestOf(token) });
}

function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
