import type { X509Certificate } from 'node:crypto';
import type { Kysely, Selectable } from 'kysely';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Database } from '../../store/database.ts';
import type { Authorities } from '../pki/authorities.ts';
import { type DeviceCertificate, readDeviceCertificate } from '../pki/read-device-certificate.ts';

/** A box that showed a certificate which counts. */
export interface AdmittedDevice extends Pick<Selectable<Database['devices']>, 'id' | 'org' | 'name' | 'state'> {
  readonly certificate: DeviceCertificate;
}

/** Whether a certificate that was shown in a TLS handshake lets a box in: the one place that decides, for every server of the fleet. */
export class Admission {
  readonly #db: Kysely<Database>;
  readonly #authorities: Authorities;
  readonly #now: () => number;

  constructor(db: Kysely<Database>, authorities: Authorities, now: () => number) {
    this.#db = db;
    this.#authorities = authorities;
    this.#now = now;
  }

  /**
   * A certificate that is unknown here but well signed counts: a database that was restored from a backup knows the newest ones not.
   * @param graceMs how long after its end it still counts
   * @throws {SecureGateError} `certificate_rejected`, `device_denied`
   */
  async admit(shown: X509Certificate, graceMs = 0): Promise<AdmittedDevice> {
    const certificate = readDeviceCertificate(shown, await this.#authorities.trusted());
    const now = this.#now();
    if (now < certificate.notBefore || now >= certificate.notAfter + graceMs) throw rejected('The certificate of this box has ended');
    const device = await this.#db
      .selectFrom('devices')
      .select(['id', 'org', 'name', 'state'])
      .where('id', '=', certificate.device)
      .executeTakeFirst();
    if (device === undefined) throw rejected('There is no such box');
    if (device.state === 'denied') throw new SecureGateError('device_denied', 'This box is denied', { details: { device: device.id } });
    const denied = await this.#db
      .selectFrom('certificates')
      .select('serial')
      .where('serial', '=', certificate.serial)
      .where('denied_at', 'is not', null)
      .executeTakeFirst();
    if (device.state === 'left' || denied !== undefined) throw rejected('The certificate of this box was taken back');
    return { ...device, certificate };
  }
}

function rejected(message: string): SecureGateError {
  return new SecureGateError('certificate_rejected', message);
}
