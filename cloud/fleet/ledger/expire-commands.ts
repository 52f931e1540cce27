import type { Kysely } from 'kysely';
import type { Database } from '../../store/database.ts';
import { moveCommand } from './move-command.ts';

/** A command that a box has begun is not over before the box says so. */
const NOT_BEGUN = ['QUEUED', 'SENT'] as const;
const MOST_AT_A_TIME = 1000;

/** Ends the commands whose time is over. @returns the boxes that they were for */
export async function expireCommands(db: Kysely<Database>, now: number): Promise<ReadonlySet<string>> {
  const late = await db
    .selectFrom('commands')
    .select(['id', 'device'])
    .where('state', 'in', NOT_BEGUN)
    .where('expires_at', '>', 0)
    .where('expires_at', '<=', now)
    .limit(MOST_AT_A_TIME)
    .execute();
  for (const { id } of late) await moveCommand(db, id, 'TIMED_OUT', { reason: 'command_expired' }, now, NOT_BEGUN);
  return new Set(late.map(({ device }) => device));
}
