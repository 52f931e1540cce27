import { createHash } from 'node:crypto';
import type { Kysely } from 'kysely';
import { SETTLED } from '../../shared/audit/settled-entry.ts';
import type { LoggedWord } from '../../shared/receipts/receipt.ts';
import type { Database } from '../store/database.ts';
import type { Told } from './told-boxes.ts';

/** Where in the log the words of boxes are that they have done their part. */
export async function findWords(db: Kysely<Database>, told: readonly Told[]): Promise<Omit<LoggedWord, 'proof'>[]> {
  const tokens = new Map(
    told.flatMap(({ done }) => (done ? [[createHash('sha256').update(done.token).digest('base64url'), done.token]] : [])),
  );
  if (tokens.size === 0) return [];
  const entries = await db
    .selectFrom('audit')
    .select(['evidence', 'request', 'leaf', 'logged_at', 'salt'])
    .where('evidence', 'in', [...tokens.keys()])
    .where('operation', '=', SETTLED)
    .orderBy('leaf')
    .execute();
  return entries.map(({ evidence, request: receipt, leaf, logged_at: loggedAt, salt }) => {
    return { token: tokens.get(evidence) ?? '', receipt, leaf, loggedAt, salt };
  });
}
