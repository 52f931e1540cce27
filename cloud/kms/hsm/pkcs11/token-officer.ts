import pkcs11 from 'pkcs11js';
import type { Recovery } from '../../../../shared/lease/recovery.ts';
import type { DeviceKey } from '../device-key.ts';
import type { SecurityOfficer } from '../security-officer.ts';
import { acceptedRecords, newTrustedKey, trustedKeys } from './attributes.ts';
import { checkRecovery } from './check-recovery.ts';
import { findTrustedKey, fingerprintOf } from './find-trusted-key.ts';
import type { TokenOptions } from './open-token.ts';
import { SessionPool } from './session-pool.ts';

export interface TokenOfficerOptions extends TokenOptions {
  /** Reads the SO PIN. No process has this and the user PIN: a library lets only one of the two log in. */
  readonly soPin: () => Buffer;
}

/** The token's security officer, who alone can mark a key as trusted (PKCS#11 `CKA_TRUSTED`) and can use no other key. */
export class TokenOfficer implements SecurityOfficer {
  readonly #pool: SessionPool;

  constructor({ soPin, ...token }: TokenOfficerOptions) {
    this.#pool = new SessionPool({ ...token, pin: soPin, userType: pkcs11.CKU_SO, size: 1 });
  }

  /** @throws {SecureGateError} `hsm_unavailable`, `secret_file_unsafe` */
  start(): void {
    this.#pool.start();
  }

  async stop(): Promise<void> {
    await this.#pool.stop();
  }

  async add(key: DeviceKey): Promise<void> {
    await this.#pool.use(async (session) => {
      const known = session.find(trustedKeys(key.fingerprint)).some((object) => fingerprintOf(session, object) === key.fingerprint);
      if (!known) session.module.C_CreateObject(session.handle, newTrustedKey(key));
    });
  }

  async remove(fingerprint: string): Promise<void> {
    await this.#pool.use(async (session) => {
      session.module.C_DestroyObject(session.handle, findTrustedKey(session, fingerprint));
    });
  }

  async list(): Promise<string[]> {
    return await this.#pool.use(async (session) => session.find(trustedKeys()).map((object) => fingerprintOf(session, object)));
  }

  async checkRecovery(recovery: Recovery): Promise<void> {
    await this.#pool.use(async (session) => checkRecovery(session, recovery));
  }

  async acceptRecords(records: number, counted: number): Promise<void> {
    await this.#pool.use(async (session) => {
      const order = acceptedRecords(records, counted);
      if (session.find(order).length === 0) session.module.C_CreateObject(session.handle, order);
    });
  }
}
