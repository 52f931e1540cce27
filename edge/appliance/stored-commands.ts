import { createHash } from 'node:crypto';
import type { Database, Statement } from 'better-sqlite3';
import type { AckState } from '../../shared/fleet/ack.ts';
import type { CommandClaims, Pair } from '../../shared/fleet/command.ts';

/** Words that are told in one go. */
const MOST_UNTOLD = 64;
/** For so long after its end a command is remembered. It ends 90 days after it was given, at the latest. */
const REMEMBERED_SECONDS = 100 * 86_400;
/** Those that are forgotten when one is taken: more than one, so that there come to be fewer. */
const MOST_FORGOTTEN = 16;

interface Entry {
  readonly id: string;
  readonly token: string;
  readonly state: AckState;
  readonly ack: string | null;
}
type Highest = Pair & { readonly command: string };

/** The journal of commands in `appliance.db`: what was taken is never done anew, whatever is sent again. */
export class StoredCommands {
  readonly #database: Database;
  readonly #highest: Statement<[], Highest>;
  readonly #raise: Statement<[number, number, string]>;
  readonly #find: Statement<[string], Entry>;
  readonly #begin: Statement<[string, string, number | null]>;
  readonly #forget: Statement<[number, number]>;
  readonly #settle: Statement<[AckState, string, string, string]>;
  readonly #signedAnew: Statement<[string, string, string]>;
  readonly #begun: Statement<[], Entry>;
  readonly #untold: Statement<[number], { ack: string }>;
  readonly #kept: Statement<[string, string]>;
  readonly #newestReceipt: Statement<[], { receipt: string | null }>;
  readonly #tellAgain: Statement<[]>;

  constructor(database: Database) {
    this.#database = database;
    this.#highest = database.prepare('SELECT incarnation, sequence, command FROM highest_command');
    this.#raise = database.prepare(
      `INSERT INTO highest_command (one, incarnation, sequence, command) VALUES (1, ?, ?, ?)
       ON CONFLICT (one) DO UPDATE SET incarnation = excluded.incarnation, sequence = excluded.sequence, command = excluded.command
       WHERE (excluded.incarnation, excluded.sequence) > (incarnation, sequence)`,
    );
    this.#find = database.prepare('SELECT id, token, state, ack FROM commands WHERE id = ?');
    this.#begin = database.prepare(`INSERT INTO commands (id, token, state, ends_at) VALUES (?, ?, 'IN_PROGRESS', ?)`);
    this.#forget = database.prepare(
      `DELETE FROM commands WHERE position IN (SELECT position FROM commands WHERE ends_at < ? AND receipt IS NOT NULL ORDER BY ends_at LIMIT ?)`,
    );
    this.#settle = database.prepare(`UPDATE commands SET state = ?, ack = ?, digest = ? WHERE id = ? AND state = 'IN_PROGRESS'`);
    this.#signedAnew = database.prepare('UPDATE commands SET ack = ?, digest = ? WHERE digest = ?');
    this.#begun = database.prepare(`SELECT id, token, state, ack FROM commands WHERE state = 'IN_PROGRESS' ORDER BY position`);
    this.#untold = database.prepare('SELECT ack FROM commands WHERE ack IS NOT NULL AND receipt IS NULL ORDER BY position LIMIT ?');
    this.#kept = database.prepare('UPDATE commands SET receipt = ? WHERE digest = ?');
    this.#newestReceipt = database.prepare('SELECT max(receipt) AS receipt FROM commands');
    this.#tellAgain = database.prepare('UPDATE commands SET receipt = NULL');
  }

  highest(): Highest | null {
    return this.#highest.get() ?? null;
  }

  find(id: string): Entry | undefined {
    return this.#find.get(id);
  }

  begin({ jti: id, pair, iat, exp }: CommandClaims, token: string): void {
    this.#database.transaction(() => {
      this.#begin.run(id, token, exp ?? null);
      if (pair !== undefined) this.raise(id, pair);
      // By the time that the control plane has signed: the clock of the box may be wrong, and nothing is to be forgotten too early.
      this.#forget.run(iat - REMEMBERED_SECONDS, MOST_FORGOTTEN);
    })();
  }

  refuse(claims: CommandClaims, token: string, ack: string): void {
    this.#database.transaction(() => {
      this.begin(claims, token);
      this.settle(claims.jti, 'REJECTED', ack);
    })();
  }

  raise(id: string, { incarnation, sequence }: Pair): void {
    this.#raise.run(incarnation, sequence, id);
  }

  settle(id: string, state: AckState, ack: string): void {
    this.#settle.run(state, ack, digestOf(ack), id);
  }

  signedAnew(ack: string, anew: string): void {
    this.#signedAnew.run(anew, digestOf(anew), digestOf(ack));
  }

  begun(): readonly Entry[] {
    return this.#begun.all();
  }

  untold(): readonly string[] {
    return this.#untold.all(MOST_UNTOLD).map(({ ack }) => ack);
  }

  kept(digest: string, receipt: string): void {
    this.#kept.run(receipt, digest);
  }

  newestReceipt(): string | null {
    return this.#newestReceipt.get()?.receipt ?? null;
  }

  tellAgain(): void {
    this.#tellAgain.run();
  }
}

function digestOf(ack: string): string {
  return createHash('sha256').update(ack).digest('base64url');
}
