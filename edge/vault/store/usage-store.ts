import type Database from 'better-sqlite3';
import type { Statement } from 'better-sqlite3';
import type { UsageOfRun } from '../../../shared/fleet/usage-batch.ts';

export interface UsageRow {
  /** Day in UTC, `2026-11-21`. */
  readonly day: string;
  readonly counter: string;
  readonly amount: number;
}

type RunRow = UsageRow & { readonly run: string };

/** Usage counters in one tenant's vault.db. */
export class UsageStore {
  readonly #add: (rows: Iterable<UsageRow>) => void;
  readonly #between: Statement<[string, string], UsageRow>;
  readonly #untold: Statement<[], RunRow>;
  readonly #tell: (days: readonly UsageOfRun[]) => void;

  /**
   * @param database vault.db with the schema of vault-schema.ts
   * @param run of this vault, by an id that none before had; what it counts is told to the control plane. undefined: to nobody
   */
  constructor(database: Database.Database, run?: string) {
    const add = database.prepare<[string, string, number]>(
      'INSERT INTO usage_counters (day, counter, amount) VALUES (?, ?, ?) ON CONFLICT (day, counter) DO UPDATE SET amount = amount + excluded.amount',
    );
    const addToRun = database.prepare<[string, string, string, number]>(
      'INSERT INTO usage_runs (run, day, counter, amount, told) VALUES (?, ?, ?, ?, 0) ON CONFLICT (run, day, counter) DO UPDATE SET amount = amount + excluded.amount',
    );
    this.#add = database.transaction((rows: Iterable<UsageRow>) => {
      for (const { day, counter, amount } of rows) {
        add.run(day, counter, amount);
        if (run !== undefined) addToRun.run(run, day, counter, amount);
      }
    });
    this.#untold = database.prepare('SELECT run, day, counter, amount FROM usage_runs WHERE amount > told ORDER BY run, day, counter');
    const tell = database.prepare<[number, string, string, string]>(
      'UPDATE usage_runs SET told = max(told, ?) WHERE run = ? AND day = ? AND counter = ?',
    );
    // Of the run that goes on, all is kept: what it counts tomorrow is told together with what it counted today.
    const forget = database.prepare<[string]>('DELETE FROM usage_runs WHERE amount <= told AND run <> ?');
    this.#tell = database.transaction((days: readonly UsageOfRun[]) => {
      for (const { run: of, day, counters } of days) {
        for (const [counter, amount] of Object.entries(counters)) tell.run(amount, of, day, counter);
      }
      forget.run(run ?? '');
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

  /** What the control plane has not written down, the earliest runs first. */
  untold(limit: number): UsageOfRun[] {
    const byDay = Map.groupBy(this.#untold.all(), ({ run, day }) => `${run} ${day}`);
    return Array.from(byDay.values(), (rows) => ({
      run: rows[0]?.run ?? '',
      day: rows[0]?.day ?? '',
      counters: Object.fromEntries(rows.map(({ counter, amount }) => [counter, amount])),
    })).slice(0, limit);
  }

  /** The control plane has written down these amounts. */
  told(days: readonly UsageOfRun[]): void {
    this.#tell(days);
  }
}
