import type Database from 'better-sqlite3';
import type { Statement } from 'better-sqlite3';

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

/** Sightings in one tenant's vault.db, in the order in which they were recorded. */
export class SightingStore {
  readonly #put: (row: SightingRow, day: string) => void;
  readonly #span: Statement<[string, string], { first: number | null; last: number | null }>;
  readonly #inSpan: Statement<[number, number, number], StoredSightingRow>;
  readonly #ofOneInSpan: Statement<[string | null, number, number, number], StoredSightingRow>;

  /** @param database vault.db with the schema of vault-schema.ts */
  constructor(database: Database.Database) {
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
}
