import type Database from 'better-sqlite3';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';

/** Devices and tenants to which no key is given any more, for ever: their ids are not used again. */
export class Denials {
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  denyDevice(device: string, now: number): void {
    this.#database
      .prepare<[string, number]>('INSERT INTO denied_devices (device, denied_at) VALUES (?, ?) ON CONFLICT (device) DO NOTHING')
      .run(device, now);
  }

  buryTenant(org: string, tenant: string, now: number): void {
    this.#database
      .prepare<[string, string, number]>(
        'INSERT INTO destroyed_tenants (org, tenant, destroyed_at) VALUES (?, ?, ?) ON CONFLICT (org, tenant) DO NOTHING',
      )
      .run(org, tenant, now);
  }

  /** @throws {SecureGateError} `device_denied` */
  requireDevice(device: string): void {
    if (this.#database.prepare<[string]>('SELECT 1 FROM denied_devices WHERE device = ?').get(device) !== undefined) {
      throw new SecureGateError('device_denied', 'This device is denied', { details: { device } });
    }
  }

  /** @throws {SecureGateError} `tenant_destroyed` */
  requireTenant(org: string, tenant: string): void {
    const buried = this.#database
      .prepare<[string, string]>('SELECT 1 FROM destroyed_tenants WHERE org = ? AND tenant = ?')
      .get(org, tenant);
    if (buried !== undefined) throw new SecureGateError('tenant_destroyed', 'This tenant was destroyed', { details: { org, tenant } });
  }
}
