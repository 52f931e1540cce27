import { createHash } from 'node:crypto';
import type { Kysely } from 'kysely';
import { SETTLED } from '../../shared/audit/settled-entry.ts';
import type { LoggedWord } from '../../shared/receipts/receipt.ts';
import type { Database } from '../store/database.ts';

/** Where in the log the words of boxes are that they have done their part. @param said as they signed them */
export async function findWords(db: Kysely<Database>, said: readonly string[]): Promise<Omit<LoggedWord, 'proof'>[]> {
  const tokens = new Map(said.map((token) => [createHash('sha256').update(token).digest('base64url'), token]));
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
