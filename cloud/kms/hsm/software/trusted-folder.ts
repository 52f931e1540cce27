import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMissing } from '../../../../shared/errors/is-missing.ts';
import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';
import type { Recovery } from '../../../../shared/lease/recovery.ts';
import { type DeviceKey, readDeviceKey } from '../device-key.ts';
import type { SecurityOfficer } from '../security-officer.ts';

const ENDING = '.pem';

/**
 * Device keys that may receive tenant keys, one PEM file each, named by its fingerprint, and what else the security officer decides.
 * Nothing but the rights of the folder keeps others from it: it should belong to another user than the KMS.
 */
export class TrustedFolder implements SecurityOfficer {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws {SecureGateError} `device_untrusted` */
  find(fingerprint: string): DeviceKey {
    const pem = readIfThere(this.#path(fingerprint));
    const key = pem === undefined ? undefined : readDeviceKey(pem);
    if (key?.fingerprint !== fingerprint) {
      throw new SecureGateError('device_untrusted', 'The key of this device is not among the trusted ones', { details: { fingerprint } });
    }
    return key;
  }

  async add(key: DeviceKey): Promise<void> {
    mkdirSync(this.#folder, { recursive: true });
    writeFileSync(this.#path(key.fingerprint), key.key.export({ type: 'spki', format: 'pem' }), { mode: 0o644 });
  }

  async remove(fingerprint: string): Promise<void> {
    this.find(fingerprint);
    rmSync(this.#path(fingerprint));
  }

  async list(): Promise<string[]> {
    mkdirSync(this.#folder, { recursive: true });
    return readdirSync(this.#folder)
      .filter((name) => name.endsWith(ENDING))
      .map((name) => name.slice(0, -ENDING.length));
  }

  async checkRecovery({ org }: Recovery): Promise<void> {
    throw new SecureGateError('recovery_rejected', 'Without an HSM nobody but the KMS can tell its keys', { details: { org } });
  }

  async acceptRecords(records: number, counted: number): Promise<void> {
    mkdirSync(this.#folder, { recursive: true });
    writeFileSync(this.#order(records, counted), '', { mode: 0o644 });
  }

  acceptsRecords(records: number, counted: number): boolean {
    return existsSync(this.#order(records, counted));
  }

  #order(records: number, counted: number): string {
    return join(this.#folder, `accepted-records-${records}-${counted}`);
  }

  /** A fingerprint is 43 letters, digits, dashes and underscores: callers have checked it, and it still must not lead out of the folder. */
  #path(fingerprint: string): string {
    if (!/^[\w-]{43}$/.test(fingerprint)) throw new SecureGateError('device_untrusted', 'This is not a fingerprint');
    return join(this.#folder, fingerprint + ENDING);
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw SecureGateError.from(error, 'storage_failed');
  }
}
