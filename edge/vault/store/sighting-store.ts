import type Database from 'better-sqlite3';
import type { Statement } from 'better-sqlite3';
import { purgeLog } from './purge-log.ts';

export interface SightingRow {
  readonly id: string;
  /** null: the sighting of somebody who is no customer. */
  readonly customer_id: string | null;
  /** Envelope of the customer, or plain JSON. */
  readonly content: Buffer;
}

export interface StoredSightingRow extends SightingRow {
  readonly position: number;
}

/** Positions from the first to the last, both included. */
export interface Span {
  readonly first: number;
  readonly last: number;
}

/** Between which positions the sightings of a day lie, with others among them. */
export interface DaySpan extends Span {
  /** UTC, `2026-11-21`; empty for those whose days are not known. */
  readonly day: string;
}

/** What becomes of the sightings of a day that were looked at. */
export interface SweepStep {
  readonly day: string;
  /** From where on the day's sightings were not looked at; undefined when all were. */
  readonly next: number | undefined;
  /** These are removed. */
  readonly over: readonly StoredSightingRow[];
  /** These stay, each on its own day. */
  readonly kept: readonly { readonly position: number; readonly day: string }[];
}

/** Sightings in one tenant's vault.db, in the order in which they were recorded. */
export class SightingStore {
  readonly #database: Database.Database;
  readonly #put: (row: SightingRow, day: string) => void;
  readonly #span: Statement<[string, string], { first: number | null; last: number | null }>;
  readonly #inSpan: Statement<[number, number, number], StoredSightingRow>;
  readonly #ofOneInSpan: Statement<[string | null, number, number, number], StoredSightingRow>;
  readonly #firstDayBefore: Statement<[string], DaySpan>;
  readonly #lastDayAt: Statement<[number], { day: string | null }>;
  readonly #firstInSpan: Statement<[number, number, number], StoredSightingRow>;
  readonly #sweep: (step: SweepStep) => void;

  /** @param database vault.db with the schema of vault-schema.ts */
  constructor(database: Database.Database) {
    this.#database = database;
    const upsert = database.prepare<[string, string | null, Buffer], { position: number }>(
      'INSERT INTO sightings (id, customer_id, content) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET customer_id = excluded.customer_id, content = excluded.content RETURNING position',
    );
    const widenDay = database.prepare<[string, number, number]>(
      'INSERT INTO sighting_days (day, first, last) VALUES (?, ?, ?) ON CONFLICT (day) DO UPDATE SET first = min(first, excluded.first), last = max(last, excluded.last)',
    );
    this.#put = database.transaction((row: SightingRow, day: string) => {
      const position = upsert.get(row.id, row.customer_id, row.content)?.position ?? 0;
      widenDay.run(day, position, position);
    });
    this.#span = database.prepare("SELECT min(first) AS first, max(last) AS last FROM sighting_days WHERE day BETWEEN ? AND ? OR day = ''");
    this.#inSpan = database.prepare(
      'SELECT position, id, customer_id, content FROM sightings WHERE position BETWEEN ? AND ? ORDER BY position DESC LIMIT ?',
    );
    this.#ofOneInSpan = database.prepare(
      'SELECT position, id, customer_id, content FROM sightings WHERE customer_id IS ? AND position BETWEEN ? AND ? ORDER BY position DESC LIMIT ?',
    );
    this.#firstDayBefore = database.prepare('SELECT day, first, last FROM sighting_days WHERE day < ? ORDER BY day LIMIT 1');
    this.#lastDayAt = database.prepare("SELECT max(day) AS day FROM sighting_days WHERE ? BETWEEN first AND last AND day <> ''");
    this.#firstInSpan = database.prepare(
      'SELECT position, id, customer_id, content FROM sightings WHERE position BETWEEN ? AND ? ORDER BY position LIMIT ?',
    );
    const remove = database.prepare<[number]>('DELETE FROM sightings WHERE position = ?');
    const forgetDay = database.prepare<[string]>('DELETE FROM sighting_days WHERE day = ?');
    const shortenDay = database.prepare<[number, string]>('UPDATE sighting_days SET first = ? WHERE day = ?');
    this.#sweep = database.transaction(({ day, next, over, kept }: SweepStep) => {
      for (const { position } of over) remove.run(position);
      for (const row of kept) widenDay.run(row.day, row.position, row.position);
      if (next === undefined) forgetDay.run(day);
      else shortenDay.run(next, day);
    });
  }

  /**
   * Reported again under the same id, the later report counts; its place in the order stays.
   * @param day of the sighting, UTC, `2026-11-21`
   */
  put(row: SightingRow, day: string): void {
    this.#put(row, day);
  }

  /**
   * Where all sightings of these days (both included) lie, with others among them: the clock of a box may have been wrong.
   * @returns undefined when there are none
   */
  span(fromDay: string, toDay: string): Span | undefined {
    const span = this.#span.get(fromDay, toDay);
    return span && span.first !== null && span.last !== null ? { first: span.first, last: span.last } : undefined;
  }

  /**
   * The last recorded ones of a span, the last first.
   * @param customerId only those of this customer; null: only those of people who are no customers
   */
  in({ first, last }: Span, limit: number, customerId?: string | null): IterableIterator<StoredSightingRow> {
    return customerId === undefined ? this.#inSpan.iterate(first, last, limit) : this.#ofOneInSpan.iterate(customerId, first, last, limit);
  }

  /** The earliest of the days before this one, or those whose days are not known. */
  firstDayBefore(day: string): DaySpan | undefined {
    return this.#firstDayBefore.get(day);
  }

  /** The latest day whose sightings lie on both sides of a position, or at it. */
  lastDayAt(position: number): string | undefined {
    return this.#lastDayAt.get(position)?.day ?? undefined;
  }

  /** The first recorded ones of a span, the first first. */
  lookAt({ first, last }: Span, limit: number): StoredSightingRow[] {
    return this.#firstInSpan.all(first, last, limit);
  }

  /** All of it or nothing; what it removed is in no page of the files any more when it returns. */
  sweep(step: SweepStep): void {
    this.#sweep(step);
    if (step.over.length > 0) purgeLog(this.#database);
  }
}
