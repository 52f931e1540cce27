import type { Kysely } from 'kysely';
import type { Database } from '../../store/database.ts';

/** Removes enrolment tokens that ended before a time, used or not: they are as few as people make. */
export async function sweepEnrolmentTokens(db: Kysely<Database>, before: number): Promise<void> {
  await db.deleteFrom('enrolment_tokens').where('expires_at', '<', before).execute();
}
