import { createPublicKey } from 'node:crypto';
import type { Kysely, Selectable } from 'kysely';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { deviceFingerprint } from '../../../shared/fleet/device-fingerprint.ts';
import type { DeviceState } from '../../../shared/fleet/enrolment.ts';
import type { KmsClient } from '../../kms/client.ts';
import type { Changes } from '../../store/changes.ts';
import type { Database } from '../../store/database.ts';
import { type Page, type PageQuery, pageOf } from '../../store/page.ts';
import type { Courier } from '../courier.ts';
import { endTokensOf } from '../enrolment/enrolment-tokens.ts';
import { type Device, deviceSchema } from './device.ts';

type Row = Selectable<Database['devices']> & { readonly certificate_ends: number | null };

/** The boxes of orgs. They come by enrolling, and are never removed: a denied id never comes back. */
export class Devices {
  readonly #db: Kysely<Database>;
  readonly #kms: Pick<KmsClient, 'call'>;
  readonly #courier: Pick<Courier, 'kick'> | undefined;
  readonly #now: () => number;

  constructor(db: Kysely<Database>, kms: Pick<KmsClient, 'call'>, courier: Pick<Courier, 'kick'> | undefined, now: () => number) {
    this.#db = db;
    this.#kms = kms;
    this.#courier = courier;
    this.#now = now;
  }

  /** @throws {SecureGateError} `device_not_found` */
  async get(org: string, id: string): Promise<Device> {
    const row = await this.#rows(org).where('devices.id', '=', id).executeTakeFirst();
    if (row === undefined) throw new SecureGateError('device_not_found', 'There is no such box');
    return viewOf(row);
  }

  async list(org: string, { cursor = '', limit }: PageQuery): Promise<Page<Device>> {
    const found = await this.#rows(org)
      .where('devices.id', '>', cursor)
      .orderBy('devices.id')
      .limit(limit + 1)
      .execute();
    return pageOf(found, limit, { id: ({ id }) => id, view: viewOf });
  }

  /**
   * @param version on which the change is based; without it the change is made in any case
   * @throws {SecureGateError} `device_not_found`, `version_conflict`
   */
  async change(org: string, id: string, changes: Changes<Pick<Device, 'name' | 'models'>>, version?: number): Promise<Device> {
    await this.get(org, id);
    const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
    let update = this.#db
      .updateTable('devices')
      .set((row) => ({ ...given, version: row('version', '+', 1) }))
      .where('org', '=', org)
      .where('id', '=', id);
    if (version !== undefined) update = update.where('version', '=', version);
    const { numUpdatedRows } = await update.executeTakeFirst();
    if (numUpdatedRows === 0n) throw new SecureGateError('version_conflict', 'This box was changed in the meantime');
    return await this.get(org, id);
  }

  /**
   * Takes everything from a box, for ever. The KMS comes first: once it knows, the box gets no key, whatever happens here; asked for
   * again, the rest is made up for.
   * @throws {SecureGateError} `device_not_found`, `kms_unavailable`
   */
  async deny(org: string, id: string): Promise<Device> {
    await this.get(org, id);
    await this.#kms.call('denyDevice', { device: id });
    await this.#end(org, id, 'denied');
    return await this.get(org, id);
  }

  /**
   * The box leaves its org: its certificates and its assignments end. It may enrol anew, also with an org of its own.
   * @throws {SecureGateError} `device_not_found`, `device_denied`, `kms_unavailable`
   */
  async release(org: string, id: string): Promise<Device> {
    const { state } = await this.get(org, id);
    if (state === 'denied') throw new SecureGateError('device_denied', 'This box is denied', { details: { device: id } });
    for (const tenant of await this.#kms.call('assignedTenants', { org, device: id })) {
      await this.#kms.call('endAssignment', { org, tenant, device: id });
    }
    await this.#end(org, id, 'left');
    return await this.get(org, id);
  }

  /** Ends its connection: what it came in by counts no more. */
  async kick(id: string): Promise<void> {
    await this.#courier?.kick(id);
  }

  /**
   * Makes a box active that the KMS knows to be assigned. Whether it was assigned before it enrolled, or the word of it was lost on
   * the way here, does not matter: it is asked whenever there is a reason to.
   * @throws {SecureGateError} `kms_unavailable`
   */
  async settle(org: string, id: string): Promise<void> {
    const assigned = await this.#kms.call('assignedTenants', { org, device: id });
    if (assigned.length === 0) return;
    await this.#db
      .updateTable('devices')
      .set((row) => ({ state: 'active', version: row('version', '+', 1) }))
      .where('org', '=', org)
      .where('id', '=', id)
      .where('state', '=', 'awaiting-approval')
      .execute();
  }

  async #end(org: string, id: string, state: DeviceState): Promise<void> {
    await this.#db.transaction().execute(async (within) => {
      await within
        .updateTable('devices')
        .set((row) => ({ state, version: row('version', '+', 1) }))
        .where('org', '=', org)
        .where('id', '=', id)
        .where('state', '<>', state)
        .execute();
      await within
        .updateTable('certificates')
        .set({ denied_at: this.#now() })
        .where('device', '=', id)
        .where('denied_at', 'is', null)
        .execute();
      await endTokensOf(within, id, this.#now());
    });
    // It is written down before: whoever is sent away does not come in again.
    await this.kick(id);
  }

  #rows(org: string) {
    return this.#db
      .selectFrom('devices')
      .selectAll('devices')
      .select((row) =>
        row
          .selectFrom('certificates')
          .select(({ fn }) => fn.max('not_after').as('ends'))
          .whereRef('certificates.device', '=', 'devices.id')
          .where('denied_at', 'is', null)
          .as('certificate_ends'),
      )
      .where('devices.org', '=', org);
  }
}

function viewOf({ id, org, name, state, wrap, wrap_key, jkt, models, version, enrolled_at, certificate_ends }: Row): Device {
  const wrapKey = createPublicKey({ key: Buffer.from(wrap_key, 'base64url'), format: 'der', type: 'spki' });
  return deviceSchema.parse({
    ...{ id, org, name, state, wrap, jkt, models, version },
    fingerprint: deviceFingerprint(wrap, jkt),
    wrapKey: wrapKey.export({ type: 'spki', format: 'pem' }),
    certificateEnds: certificate_ends === null ? null : new Date(certificate_ends).toISOString(),
    enrolledAt: new Date(enrolled_at).toISOString(),
  });
}
