import type Database from 'better-sqlite3';
import type { Statement } from 'better-sqlite3';

export interface OutboxRow {
  readonly id: string;
  readonly envelope: Buffer;
}

export interface OutboxSize {
  readonly items: number;
  /** Of their envelopes. */
  readonly bytes: number;
  /** Items that had no room, ever. */
  readonly dropped: number;
}

/** What waits to be told to the control plane, in one tenant's vault.db, in the order in which it came. */
export class OutboxStore {
  readonly #add: Statement<[string, Buffer]>;
  readonly #first: Statement<[], OutboxRow>;
  readonly #removeFirst: Statement<[]>;
  readonly #remove: Statement<[string]>;
  readonly #size: Statement<[], OutboxSize>;
  readonly #countDropped: Statement<[]>;

  /** @param database vault.db with the schema of vault-schema.ts */
  constructor(database: Database.Database) {
    this.#add = database.prepare('INSERT INTO outbox (id, envelope) VALUES (?, ?) ON CONFLICT (id) DO NOTHING');
    this.#first = database.prepare('SELECT id, envelope FROM outbox ORDER BY position');
    this.#removeFirst = database.prepare('DELETE FROM outbox WHERE position = (SELECT min(position) FROM outbox)');
    this.#remove = database.prepare('DELETE FROM outbox WHERE id = ?');
    this.#size = database.prepare('SELECT items, bytes, dropped FROM outbox_size');
    this.#countDropped = database.prepare('UPDATE outbox_size SET dropped = dropped + 1');
  }

  /** What waits already stays as it is. */
  add({ id, envelope }: OutboxRow): void {
    this.#add.run(id, envelope);
  }

  /** The first first. */
  first(): IterableIterator<OutboxRow> {
    return this.#first.iterate();
  }

  removeFirst(): void {
    this.#removeFirst.run();
  }

  remove(id: string): void {
    this.#remove.run(id);
  }

  countDropped(): void {
    this.#countDropped.run();
  }

  size(): OutboxSize {
    return this.#size.get() ?? { items: 0, bytes: 0, dropped: 0 };
  }
}
