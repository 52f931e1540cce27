import type Database from 'better-sqlite3';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';

export interface AssignmentRecord {
  readonly id: string;
  readonly org: string;
  readonly tenant: string;
  readonly device: string;
  /** As the admin signed it: it is verified again at every use. */
  readonly token: string;
}

/** Assignments of devices to tenants. Each id counts once, also when its assignment has ended. */
export class AssignmentRecords {
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  /**
   * Adds an assignment in place of the one that this device has for this tenant.
   * @throws {SecureGateError} `assignment_used`
   */
  add({ id, org, tenant, device, token }: AssignmentRecord, now: number): void {
    this.#database.transaction(() => {
      if (this.#database.prepare<[string]>('SELECT 1 FROM assignments WHERE id = ?').get(id) !== undefined) {
        throw new SecureGateError('assignment_used', 'This assignment was used before', { details: { id } });
      }
      this.end(org, tenant, device, now);
      this.#database
        .prepare<[string, string, string, string, string]>(
          'INSERT INTO assignments (id, org, tenant, device, token) VALUES (?, ?, ?, ?, ?)',
        )
        .run(id, org, tenant, device, token);
    })();
  }

  /** @throws {SecureGateError} `assignment_rejected` when the device has none for this tenant */
  get(org: string, tenant: string, device: string): AssignmentRecord {
    const record = this.#database
      .prepare<[string, string, string], AssignmentRecord>(
        'SELECT id, org, tenant, device, token FROM assignments WHERE org = ? AND tenant = ? AND device = ? AND ended_at IS NULL',
      )
      .get(org, tenant, device);
    if (!record) {
      throw new SecureGateError('assignment_rejected', 'This device is not assigned to this tenant', { details: { org, tenant, device } });
    }
    return record;
  }

  tenantsOf(org: string, device: string): string[] {
    return this.#database
      .prepare<[string, string], { tenant: string }>(
        'SELECT tenant FROM assignments WHERE org = ? AND device = ? AND ended_at IS NULL ORDER BY tenant',
      )
      .all(org, device)
      .map(({ tenant }) => tenant);
  }

  /** Every assignment that there ever was for a tenant, and when it ended. */
  everOf(org: string, tenant: string): (Pick<AssignmentRecord, 'device' | 'token'> & { readonly ended_at: number | null })[] {
    return this.#database
      .prepare<[string, string], Pick<AssignmentRecord, 'device' | 'token'> & { ended_at: number | null }>(
        'SELECT device, token, ended_at FROM assignments WHERE org = ? AND tenant = ? ORDER BY device',
      )
      .all(org, tenant);
  }

  /** @returns whether there was one */
  end(org: string, tenant: string, device: string, now: number): boolean {
    return (
      this.#database
        .prepare<[number, string, string, string]>(
          'UPDATE assignments SET ended_at = ? WHERE org = ? AND tenant = ? AND device = ? AND ended_at IS NULL',
        )
        .run(now, org, tenant, device).changes > 0
    );
  }
}
