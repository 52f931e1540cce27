import type Database from 'better-sqlite3';
import type { Cell } from '../../../../cloud/kms/hsm/hsm.ts';
import { isEnvelope } from './open-sealed.ts';

/** A tenant key under its cell (RFC 5649). */
const WRAPPED_TEK_BYTES = 40;

/** What stands in a database that is of use. */
export interface FoundRows {
  readonly wrapped: Buffer[];
  readonly cells: Cell[];
  /** Each with the ids of its row. */
  readonly envelopes: { readonly envelope: Buffer; readonly row: Readonly<Record<string, unknown>> }[];
}

/** Reads every row of every table. */
export function readRows(database: Database.Database): FoundRows {
  const found: FoundRows = { wrapped: [], cells: [], envelopes: [] };
  const tables = database.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
  for (const table of tables.pluck().all()) {
    for (const row of database.prepare<[], Record<string, unknown>>(allOf(table)).iterate()) {
      const { org, tenant, epoch } = row;
      if (typeof org === 'string' && typeof tenant === 'string' && typeof epoch === 'number') found.cells.push({ org, tenant, epoch });
      for (const value of Object.values(row)) {
        if (!Buffer.isBuffer(value)) continue;
        if (value.length === WRAPPED_TEK_BYTES) found.wrapped.push(value);
        if (isEnvelope(value)) found.envelopes.push({ envelope: value, row });
      }
    }
  }
  return found;
}

/** A table's name cannot be a parameter. Whoever reads a copy of his own has nobody's SQL to fear. */
function allOf(table: string): string {
  return ['SELECT * FROM', `"${table.replaceAll('"', '""')}"`].join(' ');
}
