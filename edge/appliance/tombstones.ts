import type { Database, Statement } from 'better-sqlite3';
import { z } from 'zod';
import { type Removed, removedSchema } from '../../shared/fleet/ack.ts';

/** A tenant that was shredded on this box. */
export interface Tombstone {
  readonly tenant: string;
  readonly org: string;
  /** Milliseconds since the Unix epoch. */
  readonly buriedAt: number;
  /** What there was to remove; null until it is counted. */
  readonly removed: Removed | null;
  /** Whether nothing of it is left here. */
  readonly finished: boolean;
}

interface Row {
  readonly tenant: string;
  readonly org: string;
  readonly buried_at: number;
  readonly removed: string | null;
  readonly finished: number;
}

/** Tenants that were shredded here, for ever: none of them comes back to this box, whoever asks for it. */
export class Tombstones {
  readonly #bury: Statement<[string, string, number]>;
  readonly #count: Statement<[string, string]>;
  readonly #finish: Statement<[string]>;
  readonly #find: Statement<[string], Row>;
  readonly #all: Statement<[], Row>;

  constructor(database: Database) {
    this.#bury = database.prepare('INSERT INTO tombstones (tenant, org, buried_at) VALUES (?, ?, ?) ON CONFLICT (tenant) DO NOTHING');
    this.#count = database.prepare('UPDATE tombstones SET removed = ? WHERE tenant = ? AND removed IS NULL');
    this.#finish = database.prepare('UPDATE tombstones SET finished = 1 WHERE tenant = ?');
    this.#find = database.prepare('SELECT * FROM tombstones WHERE tenant = ?');
    this.#all = database.prepare('SELECT * FROM tombstones ORDER BY buried_at, tenant');
  }

  /** From here on there is no way back. */
  bury(tenant: string, org: string, now: number): void {
    this.#bury.run(tenant, org, now);
  }

  /** Writes down what there is to remove: the first count is the one that is told, since a later one finds less. */
  count(tenant: string, removed: Removed): void {
    this.#count.run(JSON.stringify(removed), tenant);
  }

  finish(tenant: string): void {
    this.#finish.run(tenant);
  }

  find(tenant: string): Tombstone | undefined {
    const row = this.#find.get(tenant);
    return row && tombstoneOf(row);
  }

  list(): readonly Tombstone[] {
    return this.#all.all().map(tombstoneOf);
  }
}

function tombstoneOf({ tenant, org, buried_at, removed, finished }: Row): Tombstone {
  const counted = z.nullable(removedSchema).parse(JSON.parse(removed ?? 'null'));
  return { tenant, org, buriedAt: buried_at, removed: counted, finished: finished === 1 };
}
