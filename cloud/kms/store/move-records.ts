import type Database from 'better-sqlite3';
import type { Cell } from '../hsm/hsm.ts';

/** A device that can have had the key of an epoch when the next one was made. */
export interface MovingBox {
  readonly device: string;
  /** Milliseconds since the Unix epoch; null until it has said so. */
  readonly movedAt: number | null;
  /** Whether it may still have keys of the tenant: neither denied nor without an assignment. */
  readonly counts: boolean;
}

/** A device that has not said that it has left an epoch. */
export interface LostBox {
  readonly device: string;
  /** When it was first given the key of a later epoch, milliseconds since the Unix epoch; null where it never was. */
  readonly laterKeyAt: number | null;
}

/** Moves of a tenant's boxes from an epoch to the next one. */
export class MoveRecords {
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  /**
   * Begins the move away from an epoch, for every device that ever was assigned: one that is not any more still has its files of that time,
   * and moves them where it is assigned again.
   */
  begin({ org, tenant, epoch }: Cell, now: number): void {
    this.#database
      .prepare<[string, string, number, number]>('INSERT INTO moves (org, tenant, epoch, begun_at) VALUES (?, ?, ?, ?)')
      .run(org, tenant, epoch, now);
    this.#database
      .prepare<[number, string, string]>(
        'INSERT INTO moving_boxes (org, tenant, epoch, device) SELECT DISTINCT org, tenant, ?, device FROM assignments WHERE org = ? AND tenant = ?',
      )
      .run(epoch, org, tenant);
    this.#database
      .prepare<[string, string, number]>('INSERT INTO waited (org, tenant, epoch, ms) VALUES (?, ?, ?, 0)')
      .run(org, tenant, epoch);
  }

  /** Adds to the time for which the boxes were waited for in every move that has not ended. */
  wait(ms: number): void {
    this.#database
      .prepare<[number]>(
        `UPDATE waited SET ms = ms + ? WHERE EXISTS (SELECT 1 FROM epochs e
           WHERE e.org = waited.org AND e.tenant = waited.tenant AND e.epoch = waited.epoch AND e.state = 'ready')`,
      )
      .run(ms);
  }

  /** For how long the boxes were waited for, as far as it is written down, in milliseconds. */
  waited({ org, tenant, epoch }: Cell): number {
    return (
      this.#database
        .prepare<[string, string, number], { ms: number }>('SELECT ms FROM waited WHERE org = ? AND tenant = ? AND epoch = ?')
        .get(org, tenant, epoch)?.ms ?? 0
    );
  }

  /** Of all tenants: epochs that boxes move away from, and whose keys are not destroyed. */
  open(): Cell[] {
    return this.#database
      .prepare<[], Cell>(
        "SELECT org, tenant, epoch FROM moves JOIN epochs USING (org, tenant, epoch) WHERE state IN ('ready', 'destroying') ORDER BY begun_at",
      )
      .all();
  }

  /** @returns when the move away from an epoch began; undefined for the newest */
  begunAt({ org, tenant, epoch }: Cell): number | undefined {
    return this.#database
      .prepare<[string, string, number], { begunAt: number }>(
        'SELECT begun_at AS begunAt FROM moves WHERE org = ? AND tenant = ? AND epoch = ?',
      )
      .get(org, tenant, epoch)?.begunAt;
  }

  boxes({ org, tenant, epoch }: Cell): MovingBox[] {
    return this.#database
      .prepare<[string, string, number], { device: string; movedAt: number | null; counts: number }>(
        `SELECT device, moved_at AS movedAt,
           EXISTS (SELECT 1 FROM assignments a WHERE a.org = b.org AND a.tenant = b.tenant AND a.device = b.device AND a.ended_at IS NULL)
           AND NOT EXISTS (SELECT 1 FROM denied_devices d WHERE d.device = b.device) AS counts
         FROM moving_boxes b WHERE org = ? AND tenant = ? AND epoch = ? ORDER BY device`,
      )
      .all(org, tenant, epoch)
      .map(({ device, movedAt, counts }) => ({ device, movedAt, counts: counts === 1 }));
  }

  /** Whether a device has yet to move from any epoch before this one. */
  isBehind({ org, tenant, epoch }: Cell, device: string): boolean {
    return (
      this.#database
        .prepare<[string, string, string, number]>(
          'SELECT 1 FROM moving_boxes WHERE org = ? AND tenant = ? AND device = ? AND epoch < ? AND moved_at IS NULL',
        )
        .get(org, tenant, device, epoch) !== undefined
    );
  }

  /** Whether a device that is behind would be given a later key for the first time. */
  isFirstLaterKey({ org, tenant, epoch }: Cell, device: string): boolean {
    return (
      this.#database
        .prepare<[string, string, string, number]>(
          `SELECT 1 FROM moving_boxes b WHERE org = ? AND tenant = ? AND device = ? AND epoch < ? AND moved_at IS NULL AND NOT EXISTS
             (SELECT 1 FROM later_keys k WHERE k.org = b.org AND k.tenant = b.tenant AND k.epoch = b.epoch AND k.device = b.device)`,
        )
        .get(org, tenant, device, epoch) !== undefined
    );
  }

  /** Notes that a device is given the key of an epoch while it is behind. The first one counts. */
  noteLaterKey({ org, tenant, epoch }: Cell, device: string, now: number): void {
    this.#database
      .prepare<[number, string, string, string, number]>(
        `INSERT OR IGNORE INTO later_keys (org, tenant, epoch, device, at)
           SELECT org, tenant, epoch, device, ? FROM moving_boxes WHERE org = ? AND tenant = ? AND device = ? AND epoch < ? AND moved_at IS NULL`,
      )
      .run(now, org, tenant, device, epoch);
  }

  /** Of all tenants: any device that is behind may have been given any key since its move began. */
  assumeLaterKeys(): void {
    this.#database
      .prepare(
        `INSERT INTO later_keys (org, tenant, epoch, device, at)
           SELECT org, tenant, epoch, device, begun_at FROM moving_boxes JOIN moves USING (org, tenant, epoch) WHERE moved_at IS NULL
           ON CONFLICT (org, tenant, epoch, device) DO UPDATE SET at = excluded.at`,
      )
      .run();
  }

  lost({ org, tenant, epoch }: Cell): LostBox[] {
    return this.#database
      .prepare<[string, string, number], LostBox>(
        `SELECT device, at AS laterKeyAt FROM moving_boxes LEFT JOIN later_keys USING (org, tenant, epoch, device)
           WHERE org = ? AND tenant = ? AND epoch = ? AND moved_at IS NULL ORDER BY device`,
      )
      .all(org, tenant, epoch);
  }

  /** Notes that a device is in an epoch now and needs none before it. What it said before stays as it was. */
  acknowledge({ org, tenant, epoch }: Cell, device: string, now: number): void {
    this.#database
      .prepare<[number, string, string, string, number]>(
        'UPDATE moving_boxes SET moved_at = ? WHERE org = ? AND tenant = ? AND device = ? AND epoch < ? AND moved_at IS NULL',
      )
      .run(now, org, tenant, device, epoch);
  }
}
