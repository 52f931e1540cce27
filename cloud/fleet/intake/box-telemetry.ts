import type { Kysely } from 'kysely';
import { z } from 'zod';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { type Telemetry, telemetrySchema } from '../../../shared/fleet/telemetry.ts';
import { idSchema } from '../../../shared/ids/ids.ts';
import type { Database } from '../../store/database.ts';

export const boxTelemetrySchema = z
  .strictObject({ device: idSchema('box'), at: z.iso.datetime().describe('When it was heard.'), report: telemetrySchema })
  .meta({
    id: 'BoxTelemetry',
    examples: [
      {
        device: 'box_aaaaaaaaaaaaaaaaaaaaaaaaaa',
        at: '2026-11-22T10:00:00.000Z',
        report: {
          version: '1.0.0',
          uptimeMs: 3_600_000,
          cameras: { live: 4, others: 0 },
          frames: { seen: 72_000, skipped: 0 },
          diskFreeBytes: 412_000_000_000,
          tenants: [{ tenant: 'main-hall', state: 'ready', leaseEndsAt: '2026-11-23T09:00:00.000Z', waiting: 0, dropped: 0 }],
          warnings: [{ tenant: null, reason: 'backup_outdated' }],
        },
      },
    ],
  });
type BoxTelemetry = z.output<typeof boxTelemetrySchema>;

/** How each box was when it was last heard. */
export class Telemetries {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  async keep(org: string, device: string, report: Telemetry, at: number): Promise<void> {
    const row = { org, at, report: JSON.stringify(report) };
    await this.#db
      .insertInto('telemetry')
      .values({ device, ...row })
      .onConflict((conflict) => conflict.column('device').doUpdateSet(row))
      .execute();
  }

  /** @throws {SecureGateError} `device_not_found`, `record_not_found` where the box has not said anything yet */
  async newest(org: string, device: string): Promise<BoxTelemetry> {
    const row = await this.#db
      .selectFrom('devices')
      .leftJoin('telemetry', (join) => join.onRef('telemetry.device', '=', 'devices.id').onRef('telemetry.org', '=', 'devices.org'))
      .select(['telemetry.at', 'telemetry.report'])
      .where('devices.org', '=', org)
      .where('devices.id', '=', device)
      .executeTakeFirst();
    if (row === undefined) throw new SecureGateError('device_not_found', 'There is no such box');
    const { at, report } = row;
    if (at === null || report === null) throw new SecureGateError('record_not_found', 'This box has not told how it is');
    return { device, at: new Date(at).toISOString(), report: telemetrySchema.parse(JSON.parse(report)) };
  }
}
