import { type Expression, expressionBuilder, type SqlBool } from 'kysely';
import type { Database } from '../../store/database.ts';

/** Whether by a command a shred or an erasure was told: that, and what the box said of it, is kept for ever. @param command its id */
export function provesDeletion(command: Expression<string>): Expression<SqlBool> {
  const { or, exists, selectFrom } = expressionBuilder<Database, never>();
  return or([
    exists(selectFrom('shred_boxes').select('device').where('command', '=', command)),
    exists(selectFrom('erasure_boxes').select('device').where('command', '=', command)),
  ]);
}
