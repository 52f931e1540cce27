import type { X509Certificate } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { AuditEntry } from '../../../shared/audit/audit-entry.ts';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { parseEnrolmentToken } from '../../../shared/fleet/enrolment-token.ts';
import type { AuditLog } from '../../audit/audit-log.ts';
import type { Database } from '../../store/database.ts';
import type { Devices } from '../devices/devices.ts';
import type { Issuer } from '../pki/issuer.ts';
import { readCertificateRequest } from '../pki/read-certificate-request.ts';
import type { Admission, AdmittedDevice } from './admission.ts';
import { endTokensOf, findToken, useToken } from './enrolment-tokens.ts';
import { type StatedDevice, verifyDeviceStatement } from './verify-device-statement.ts';

/** A box that was away for longer than a certificate lives comes back by itself for so long. */
export const GRACE_MS = 90 * 86_400_000;

export interface EnrolmentsOptions {
  readonly db: Kysely<Database>;
  readonly devices: Devices;
  readonly issuer: Issuer;
  readonly admission: Admission;
  readonly audit: AuditLog;
  readonly now: () => number;
}

/** What a box sends to enrol. */
export interface EnrolmentRequest {
  readonly token: string;
  /** See device-statement.ts. */
  readonly statement: string;
  /** PKCS#10, DER in base64. */
  readonly request: string;
  /** Id of the HTTP request, for the audit. */
  readonly requestId: string;
}

/** How boxes come by their certificates, and how they go. */
export class Enrolments {
  readonly #options: EnrolmentsOptions;

  constructor(options: EnrolmentsOptions) {
    this.#options = options;
  }

  /**
   * Enrols a box by its token. It awaits approval then, unless an admin has assigned it before.
   * @returns its certificate, PEM
   * @throws {SecureGateError} `enrolment_token_rejected`, `enrolment_rejected`, `device_denied`, `conflict` (another box has this id)
   */
  async enrol({ token, statement, request, requestId }: EnrolmentRequest): Promise<string> {
    const { db, devices, audit } = this.#options;
    const found = await findToken(db, parseEnrolmentToken(token)?.secret ?? '');
    if (found === undefined) throw new SecureGateError('enrolment_token_rejected', 'This enrolment token does not count');
    const { org } = found;
    try {
      const { publicKey, key, hash } = await readCertificateRequest(request);
      const stated = await verifyDeviceStatement(statement, hash);
      await db.transaction().execute(async (within) => {
        await useToken(within, found.id, { device: stated.id, key }, this.#options.now());
        await this.#place(within, org, { ...stated, name: found.name || stated.name });
        // Of a box that enrols anew with another key, only that one counts.
        await this.#denyOtherKeys(within, stated.id, key);
        await endTokensOf(within, stated.id, this.#options.now(), found.id);
        await audit.recordWithin(within, this.#entry({ requestId, org, operation: 'devices.enrol', target: stated.id, outcome: 'done' }));
      });
      try {
        await devices.settle(org, stated.id);
        return await this.#issue(stated.id, publicKey, key);
      } finally {
        // Who came in by an earlier key does not stay.
        await devices.kick(stated.id);
      }
    } catch (error) {
      const { code } = SecureGateError.from(error);
      await audit.record(this.#entry({ requestId, org, operation: 'devices.enrol', target: found.id, outcome: code }));
      throw error;
    }
  }

  /**
   * Gives a box a new certificate for the key of the one that it shows, which may have ended within the grace.
   * @returns PEM
   * @throws {SecureGateError} `certificate_rejected`, `device_denied`, `enrolment_rejected`
   */
  async renew(shown: X509Certificate, request: string): Promise<string> {
    const { id, org, certificate } = await this.#options.admission.admit(shown, GRACE_MS);
    const { publicKey, key } = await readCertificateRequest(request);
    if (key !== certificate.key) {
      throw new SecureGateError('enrolment_rejected', 'A certificate is renewed for its own key; for another one the box enrols anew');
    }
    await this.#options.devices.settle(org, id);
    return await this.#issue(id, publicKey, key);
  }

  /** @throws {SecureGateError} `certificate_rejected`, `device_denied`, `kms_unavailable` */
  async leave(shown: X509Certificate, requestId: string): Promise<AdmittedDevice> {
    const device = await this.#options.admission.admit(shown);
    await this.#options.devices.release(device.org, device.id);
    const about = { requestId, org: device.org, operation: 'devices.leave', target: device.id };
    await this.#options.audit.record(this.#entry({ ...about, outcome: 'done' }));
    return device;
  }

  /** Writes down a box that enrols. One that is there already has to have the keys that it had. */
  async #place(db: Kysely<Database>, org: string, { id, name, wrapKey, wrap, jkt }: StatedDevice): Promise<void> {
    // Of what an earlier org chose for it, nothing stays.
    const fields = { org, name, wrap_key: wrapKey, wrap, jkt, enrolled_at: this.#options.now(), models: null };
    const { numInsertedOrUpdatedRows } = await db
      .insertInto('devices')
      .values({ id, ...fields, state: 'awaiting-approval', version: 1 })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    if (numInsertedOrUpdatedRows === 1n) return;
    const present = await db.selectFrom('devices').select(['org', 'state', 'wrap', 'jkt']).where('id', '=', id).executeTakeFirstOrThrow();
    if (present.state === 'denied') throw new SecureGateError('device_denied', 'This box is denied', { details: { device: id } });
    if (present.state === 'left') {
      await db
        .updateTable('devices')
        .set((row) => ({ ...fields, state: 'awaiting-approval', version: row('version', '+', 1) }))
        .where('id', '=', id)
        .execute();
      return;
    }
    if (present.org !== org || present.wrap !== wrap || present.jkt !== jkt) {
      throw new SecureGateError('conflict', 'A box of this id is enrolled with other keys, or elsewhere: it has to leave, or be released', {
        details: { device: id },
      });
    }
  }

  async #denyOtherKeys(db: Kysely<Database>, device: string, key: string): Promise<void> {
    await db
      .updateTable('certificates')
      .set({ denied_at: this.#options.now() })
      .where('device', '=', device)
      .where('key', '<>', key)
      .where('denied_at', 'is', null)
      .execute();
  }

  async #issue(device: string, publicKey: Buffer, key: string): Promise<string> {
    const { db, issuer, now } = this.#options;
    const { certificate, serial, notAfter } = await issuer.issueToDevice(device, publicKey);
    await db.insertInto('certificates').values({ serial, device, key, not_after: notAfter, denied_at: null }).execute();
    // What has ended for longer than the grace counts no more, denied or not.
    await db
      .deleteFrom('certificates')
      .where('device', '=', device)
      .where('not_after', '<', now() - GRACE_MS)
      .execute();
    return certificate;
  }

  #entry({ requestId, ...about }: Record<'requestId' | 'org' | 'operation' | 'target' | 'outcome', string>): AuditEntry {
    return { at: this.#options.now(), request: requestId, actor: '', tenant: '', ...about, evidence: '' };
  }
}
