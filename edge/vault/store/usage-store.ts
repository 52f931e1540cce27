import type Database from 'better-sqlite3';
import type { Statement } from 'better-sqlite3';

export interface UsageRow {
  /** Day in UTC, `2026-11-21`. */
  readonly day: string;
  readonly counter: string;
  readonly amount: number;
}

/** Usage counters in one tenant's vault.db. */
export class UsageStore {
  readonly #add: (rows: Iterable<UsageRow>) => void;
  readonly #between: Statement<[string, string], UsageRow>;

  /** @param database vault.db with the schema of vault-schema.ts */
  constructor(database: Database.Database) {
    const add = database.prepare<[string, string, number]>(
      'INSERT INTO usage_counters (day, counter, amount) VALUES (?, ?, ?) ON CONFLICT (day, counter) DO UPDATE SET amount = amount + excluded.amount',
    );
    this.#add = database.transaction((rows: Iterable<UsageRow>) => {
      for (const { day, counter, amount } of rows) add.run(day, counter, amount);
    });
    this.#between = database.prepare('SELECT day, counter, amount FROM usage_counters WHERE day BETWEEN ? AND ? ORDER BY day, counter');
  }

  /** Adds all amounts to their counters or none. */
  add(rows: Iterable<UsageRow>): void {
    this.#add(rows);
  }

  /** @param to included, as `from` is */
  between(from: string, to: string): UsageRow[] {
    return this.#between.all(from, to);
  }
}
