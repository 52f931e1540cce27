import type Database from 'better-sqlite3';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Cell } from '../hsm/hsm.ts';

export const EPOCH_STATES = ['making', 'ready', 'destroying', 'destroyed'] as const;
export type EpochState = (typeof EPOCH_STATES)[number];

export interface EpochRecord extends Cell {
  readonly state: EpochState;
  /** The tenant key under its cell; null before it is made and after its destruction. */
  readonly wrapped: Buffer | null;
  /** Milliseconds since the Unix epoch. */
  readonly destroyedAt: number | null;
}

type Key = [org: string, tenant: string, epoch: number];

/** Epochs of tenants: which there are, their wrapped tenant keys, and what is about to be done with them. */
export class EpochRecords {
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  /** Epochs of a tenant, the oldest first. */
  list(org: string, tenant: string): EpochRecord[] {
    return this.#database
      .prepare<[string, string], EpochRecord>(
        'SELECT org, tenant, epoch, state, wrapped, destroyed_at AS destroyedAt FROM epochs WHERE org = ? AND tenant = ? ORDER BY epoch',
      )
      .all(org, tenant);
  }

  /** The epoch whose key boxes are to have; null where the tenant has none. */
  newest(org: string, tenant: string): number | null {
    return this.list(org, tenant).findLast(({ state }) => state === 'ready')?.epoch ?? null;
  }

  /** An epoch that was made. @throws {SecureGateError} `epoch_not_found` */
  get({ org, tenant, epoch }: Cell): EpochRecord {
    const record = this.list(org, tenant).find((one) => one.epoch === epoch && one.state !== 'making');
    if (!record) throw new SecureGateError('epoch_not_found', 'This tenant has no such epoch', { details: { org, tenant, epoch } });
    return record;
  }

  /** The newest epoch of each tenant of an org. */
  newestOf(org: string): Cell[] {
    return this.#database
      .prepare<[string], Cell>(
        "SELECT org, tenant, max(epoch) AS epoch FROM epochs WHERE org = ? AND state = 'ready' GROUP BY org, tenant ORDER BY tenant",
      )
      .all(org);
  }

  /** Of all tenants: keys that have no check value, since they were made before there was one. */
  unchecked(): EpochRecord[] {
    return this.#database
      .prepare<[], EpochRecord>(
        `SELECT org, tenant, epoch, state, wrapped, destroyed_at AS destroyedAt FROM epochs e
         WHERE state = 'ready' AND NOT EXISTS (SELECT 1 FROM tek_checks c WHERE c.org = e.org AND c.tenant = e.tenant AND c.epoch = e.epoch)`,
      )
      .all();
  }

  /** By what the tenant key of an epoch is known again; undefined where that was never written down. */
  check({ org, tenant, epoch }: Cell): Buffer | undefined {
    return this.#database
      .prepare<Key, { value: Buffer }>('SELECT value FROM tek_checks WHERE org = ? AND tenant = ? AND epoch = ?')
      .get(org, tenant, epoch)?.value;
  }

  addCheck({ org, tenant, epoch }: Cell, value: Buffer): void {
    this.#database
      .prepare<[...Key, Buffer]>('INSERT INTO tek_checks (org, tenant, epoch, value) VALUES (?, ?, ?, ?)')
      .run(org, tenant, epoch, value);
  }

  /** The tenant key of an epoch is wrapped under another cell now. */
  rewrap({ org, tenant, epoch }: Cell, wrapped: Buffer): void {
    this.#database
      .prepare<[Buffer, ...Key]>("UPDATE epochs SET wrapped = ? WHERE org = ? AND tenant = ? AND epoch = ? AND state = 'ready'")
      .run(wrapped, org, tenant, epoch);
  }

  /** Of all tenants: what a crash left half done. */
  unfinished(): EpochRecord[] {
    return this.#database
      .prepare<[], EpochRecord>(
        "SELECT org, tenant, epoch, state, wrapped, destroyed_at AS destroyedAt FROM epochs WHERE state IN ('making', 'destroying')",
      )
      .all();
  }

  begin({ org, tenant, epoch }: Cell): void {
    this.#database.prepare<Key>("INSERT INTO epochs (org, tenant, epoch, state) VALUES (?, ?, ?, 'making')").run(org, tenant, epoch);
  }

  finish({ org, tenant, epoch }: Cell, wrapped: Buffer): void {
    this.#database
      .prepare<[Buffer, ...Key]>("UPDATE epochs SET state = 'ready', wrapped = ? WHERE org = ? AND tenant = ? AND epoch = ?")
      .run(wrapped, org, tenant, epoch);
  }

  /** Of all tenants: forgets what is in the making, so that its cells are left alone. */
  forgetUnmade(): void {
    this.#database.prepare("DELETE FROM epochs WHERE state = 'making'").run();
  }

  /** From here on the key is never used again, whatever happens. */
  beginDestruction({ org, tenant, epoch }: Cell): void {
    this.#database.prepare<Key>('DELETE FROM tek_checks WHERE org = ? AND tenant = ? AND epoch = ?').run(org, tenant, epoch);
    this.#database
      .prepare<Key>("UPDATE epochs SET state = 'destroying', wrapped = NULL WHERE org = ? AND tenant = ? AND epoch = ?")
      .run(org, tenant, epoch);
  }

  finishDestruction({ org, tenant, epoch }: Cell, now: number): void {
    this.#database
      .prepare<[number, ...Key]>("UPDATE epochs SET state = 'destroyed', destroyed_at = ? WHERE org = ? AND tenant = ? AND epoch = ?")
      .run(now, org, tenant, epoch);
  }
}
