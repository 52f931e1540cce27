import type { Transaction } from 'kysely';
import type { Database } from '../store/database.ts';

/**
 * Lets whoever decides about the admins of an org do so one after the other: its row is held until the transaction ends. A write that
 * changes nothing does it in both databases; SQLite knows no FOR UPDATE.
 * @returns whether there is this org
 */
export async function holdOrg(within: Transaction<Database>, org: string): Promise<boolean> {
  const { numUpdatedRows } = await within
    .updateTable('orgs')
    .set((row) => ({ version: row.ref('version') }))
    .where('id', '=', org)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}
