import type Database from 'better-sqlite3';
import type { Cell } from '../hsm/hsm.ts';

/** A device that had the key of an epoch when the next one was made. */
export interface MovingBox {
  readonly device: string;
  /** Milliseconds since the Unix epoch; null until it has said so. */
  readonly movedAt: number | null;
  /** Whether it may still have keys of the tenant: neither denied nor without an assignment. */
  readonly counts: boolean;
}

/** Moves of a tenant's boxes from an epoch to the next one. */
export class MoveRecords {
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  /** Begins the move away from an epoch, for the devices that are assigned now. */
  begin({ org, tenant, epoch }: Cell, now: number): void {
    this.#database
      .prepare<[string, string, number, number]>('INSERT INTO moves (org, tenant, epoch, begun_at) VALUES (?, ?, ?, ?)')
      .run(org, tenant, epoch, now);
    this.#database
      .prepare<[number, string, string]>(
        'INSERT INTO moving_boxes (org, tenant, epoch, device) SELECT org, tenant, ?, device FROM assignments WHERE org = ? AND tenant = ? AND ended_at IS NULL',
      )
      .run(epoch, org, tenant);
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

  /** Notes that a device is in an epoch now and needs none before it. What it said before stays as it was. */
  acknowledge({ org, tenant, epoch }: Cell, device: string, now: number): void {
    this.#database
      .prepare<[number, string, string, string, number]>(
        'UPDATE moving_boxes SET moved_at = ? WHERE org = ? AND tenant = ? AND device = ? AND epoch < ? AND moved_at IS NULL',
      )
      .run(now, org, tenant, device, epoch);
  }
}
