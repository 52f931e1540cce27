import type { Kysely, Selectable } from 'kysely';
import type { Database } from '../store/database.ts';

/** What a box said of a command that is part of a shred or an erasure. */
export interface Told {
  /** Of the command; undefined where it could not be given yet. */
  readonly state: Selectable<Database['commands']>['state'] | undefined;
  /** Milliseconds since the Unix epoch. */
  readonly changedAt: number;
  readonly reason: string | null;
  /** Its word that it is done, and when that came. */
  readonly done: { readonly receipt: string; readonly token: string; readonly at: number } | null;
}

/** What boxes said of these commands. */
export async function toldBoxes(db: Kysely<Database>, commands: readonly string[]): Promise<ReadonlyMap<string, Told>> {
  if (commands.length === 0) return new Map();
  const [given, words] = await Promise.all([
    db.selectFrom('commands').select(['id', 'state', 'reason', 'changed_at']).where('id', 'in', commands).execute(),
    db
      .selectFrom('receipts')
      .select(['id', 'command', 'token', 'at'])
      .where('command', 'in', commands)
      .where('state', '=', 'SUCCEEDED')
      .execute(),
  ]);
  const givenOf = new Map(given.map((row) => [row.id, row]));
  const wordOf = new Map(words.map(({ command, id: receipt, token, at }) => [command, { receipt, token, at }]));
  return new Map(
    commands.map((command): [string, Told] => {
      const row = givenOf.get(command);
      const done = wordOf.get(command) ?? null;
      return [command, { state: row?.state, changedAt: row?.changed_at ?? 0, reason: row?.reason || null, done }];
    }),
  );
}
