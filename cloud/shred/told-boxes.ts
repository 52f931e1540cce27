import { decodeJwt } from 'jose';
import type { Kysely, Selectable } from 'kysely';
import { ackClaimsSchema, type Removed } from '../../shared/fleet/ack.ts';
import type { Database } from '../store/database.ts';

/** What a box said of a command that is part of a shred or an erasure. */
export interface Told {
  /** Of the command; undefined where it could not be given yet. */
  readonly state: Selectable<Database['commands']>['state'] | undefined;
  /** Milliseconds since the Unix epoch. */
  readonly changedAt: number;
  readonly reason: string | null;
  /** Its word that it is done: when that came, and what it has removed. */
  readonly done: { readonly receipt: string; readonly token: string; readonly at: number; readonly removed: Removed | null } | null;
}

/** What boxes said of these commands. */
export async function toldBoxes(db: Kysely<Database>, commands: readonly string[]): Promise<ReadonlyMap<string, Told>> {
  if (commands.length === 0) return new Map();
  const [given, words] = await Promise.all([
    db.selectFrom('commands').select(['id', 'state', 'reason', 'changed_at']).where('id', 'in', commands).execute(),
    db.selectFrom('receipts').selectAll().where('command', 'in', commands).where('state', '=', 'SUCCEEDED').execute(),
  ]);
  return new Map(
    commands.map((command): [string, Told] => {
      const row = given.find(({ id }) => id === command);
      const word = words.find((one) => one.command === command);
      const told = { state: row?.state, changedAt: row?.changed_at ?? 0, reason: row?.reason || null };
      if (word === undefined) return [command, { ...told, done: null }];
      const { removed = null } = ackClaimsSchema.parse(decodeJwt(word.token));
      return [command, { ...told, done: { receipt: word.id, token: word.token, at: word.at, removed } }];
    }),
  );
}
