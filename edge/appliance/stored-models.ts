import type { Database, Statement } from 'better-sqlite3';

/** The set that was at work last, and by which model it embeds. */
export interface LastModels {
  readonly set: string;
  readonly embedder: string;
}

interface Row {
  readonly chosen: string | null;
  readonly last_set: string | null;
  readonly last_embedder: string | null;
  readonly begun: number;
  readonly given_up: string | null;
}

/** Which models this box is to work by, and by which it last did, in `appliance.db`. What a method has written is on the disk when it returns. */
export class StoredModels {
  readonly #find: Statement<[], Row>;
  readonly #choose: Statement<[string | null]>;
  readonly #keepLast: Statement<[string, string]>;
  readonly #begin: Statement<[]>;
  readonly #endure: Statement<[]>;
  readonly #giveUp: Statement<[string]>;

  constructor(database: Database) {
    this.#find = database.prepare('SELECT chosen, last_set, last_embedder, begun, given_up FROM models');
    this.#choose = database.prepare(
      'INSERT INTO models (one, chosen) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET chosen = excluded.chosen, given_up = NULL',
    );
    this.#keepLast = database.prepare(
      `INSERT INTO models (one, last_set, last_embedder) VALUES (1, ?, ?)
       ON CONFLICT (one) DO UPDATE SET last_set = excluded.last_set, last_embedder = excluded.last_embedder,
         begun = CASE last_set WHEN excluded.last_set THEN begun ELSE 0 END`,
    );
    this.#begin = database.prepare('UPDATE models SET begun = begun + 1');
    this.#endure = database.prepare('UPDATE models SET begun = 0 WHERE begun > 0');
    this.#giveUp = database.prepare('UPDATE models SET given_up = ?');
  }

  /** The set that the control plane has chosen; null for the box's own. */
  get chosen(): string | null {
    return this.#find.get()?.chosen ?? null;
  }

  /** Undefined before the first. */
  get last(): LastModels | undefined {
    const row = this.#find.get();
    if (row === undefined || row.last_set === null || row.last_embedder === null) return undefined;
    return { set: row.last_set, embedder: row.last_embedder };
  }

  /** How often the last set was begun with since it endured. */
  get begun(): number {
    return this.#find.get()?.begun ?? 0;
  }

  /** The set that is not begun with any more, until another choice. */
  get givenUp(): string | null {
    return this.#find.get()?.given_up ?? null;
  }

  choose(set: string | null): void {
    this.#choose.run(set);
  }

  keepLast({ set, embedder }: LastModels): void {
    this.#keepLast.run(set, embedder);
  }

  /** The box is about to work by the last set. */
  begin(): void {
    this.#begin.run();
  }

  /** It has worked by the last set for long enough, or until it was told to end. */
  endure(): void {
    this.#endure.run();
  }

  giveUp(set: string): void {
    this.#giveUp.run(set);
  }
}
