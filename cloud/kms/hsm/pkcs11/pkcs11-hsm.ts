import type { JWK } from 'jose';
import pkcs11 from 'pkcs11js';
import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';
import { anotherKey } from '../another-key.ts';
import { type Cell, type Hsm, type HsmCapabilities, type SigningUse, WRAPPED_TEK_BYTES } from '../hsm.ts';
import { acceptedRecords, cellOf, exportedTek, newCell, newTek, openedTek } from './attributes.ts';
import { findCell } from './find-cell.ts';
import { findTrustedKey } from './find-trusted-key.ts';
import { unwrapKey, wrapKey } from './key-wrap.ts';
import { AES_KEY_GEN, findOaepHash, unwrapFromBox, wrapForDevice } from './oaep.ts';
import type { TokenOptions } from './open-token.ts';
import { raiseRecordsVersion, readRecordsVersion } from './records-version.ts';
import { requireMechanisms } from './require-mechanisms.ts';
import type { Session } from './session.ts';
import { SessionPool } from './session-pool.ts';
import { signingKeyOf, signMessage } from './signing-keys.ts';
import { checkValueOf } from './tek-check.ts';
import { destroyTransportKeyOf, findTransportKey, transportKeyOf } from './transport-keys.ts';

/** PKCS#11 v2.40, 3.3: a session that reads and writes, with the user logged in. */
const CKS_RW_USER_FUNCTIONS = 3;

export interface Pkcs11HsmOptions extends TokenOptions {
  /** Reads the user PIN; what it gives is wiped after the login. */
  readonly pin: () => Buffer;
  readonly sessions: number;
  readonly destroyHorizonDays: number;
}

/** Keys in a token behind PKCS#11 v2.40. No tenant key is ever readable outside of it, and none is there longer than one call. */
export class Pkcs11Hsm implements Hsm {
  readonly #options: Pkcs11HsmOptions;
  readonly #pool: SessionPool;
  /** Kept, so that it can be told while the token is away. */
  #title = 'PKCS#11';
  #oaepHash: HsmCapabilities['oaepHash'] = 'sha1';

  constructor(options: Pkcs11HsmOptions) {
    this.#options = options;
    this.#pool = new SessionPool({ ...options, userType: pkcs11.CKU_USER, size: options.sessions });
  }

  get title(): string {
    return this.#title;
  }

  get capabilities(): HsmCapabilities {
    const { destroyHorizonDays } = this.#options;
    return { wrapInHsm: true, trustedWrap: true, oaepHash: this.#oaepHash, destroyHorizonDays };
  }

  async start(): Promise<void> {
    this.#pool.start();
    try {
      this.#title = this.#pool.token.title;
      requireMechanisms(this.#pool.token);
      this.#oaepHash = await this.#pool.use(findOaepHash);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.#pool.stop();
  }

  async probe(): Promise<void> {
    await this.#pool.use(async ({ module, handle }) => {
      const { state } = module.C_GetSessionInfo(handle);
      if (state !== CKS_RW_USER_FUNCTIONS) throw new SecureGateError('hsm_unavailable', 'The HSM is not logged in');
    });
  }

  async createCell(cell: Cell): Promise<void> {
    await this.#pool.useAlone(async (session) => {
      if (session.find(cellOf(cell)).length > 0) {
        throw new SecureGateError('conflict', 'The HSM has a cell of this tenant and epoch already', { details: { ...cell } });
      }
      await session.module.C_GenerateKeyAsync(session.handle, AES_KEY_GEN, newCell(cell));
      findCell(session, cell);
    });
  }

  async hasCell(cell: Cell): Promise<boolean> {
    return await this.#pool.use(async (session) => session.find(cellOf(cell)).length > 0);
  }

  async destroyCell(cell: Cell): Promise<void> {
    await this.#pool.useAlone(async (session) => {
      for (const key of session.find(cellOf(cell))) session.module.C_DestroyObject(session.handle, key);
    });
  }

  async createTek(cell: Cell): Promise<Buffer> {
    return await this.#pool.use(async (session) => {
      const key = findCell(session, cell);
      const { module, handle } = session;
      const wrapped = await session.withKey(
        () => module.C_GenerateKeyAsync(handle, AES_KEY_GEN, newTek()),
        (tek) => wrapKey(session, key, tek),
      );
      return await readBack(session, key, wrapped);
    });
  }

  async exportTek(cell: Cell, wrapped: Buffer, device: string): Promise<Buffer> {
    return await this.#pool.use(async (session) => {
      const deviceKey = findTrustedKey(session, device);
      const key = findCell(session, cell);
      return await session.withKey(
        () => unwrapKey(session, key, wrapped, exportedTek()),
        (tek) => wrapForDevice(session, deviceKey, tek, this.#oaepHash),
      );
    });
  }

  async checkTek(cell: Cell, wrapped: Buffer): Promise<Buffer> {
    return await this.#pool.use(async (session) => {
      const key = findCell(session, cell);
      return await session.withKey(
        () => unwrapKey(session, key, wrapped, openedTek()),
        async (tek) => checkValueOf(session, cell, tek),
      );
    });
  }

  async transportKey(org: string): Promise<string> {
    return await this.#pool.useAlone((session) => transportKeyOf(session, org));
  }

  async destroyTransportKey(org: string): Promise<void> {
    await this.#pool.useAlone(async (session) => destroyTransportKeyOf(session, org));
  }

  async importTek(cell: Cell, handedOver: Buffer, check: Buffer): Promise<Buffer> {
    return await this.#pool.useAlone(async (session) => {
      const transport = findTransportKey(session, cell.org);
      return await session.withKey(
        () => unwrapFromBox(session, transport, handedOver, this.#oaepHash),
        async (tek) => {
          if (!checkValueOf(session, cell, tek).equals(check)) throw anotherKey(cell);
          for (const old of session.find(cellOf(cell))) session.module.C_DestroyObject(session.handle, old);
          await session.module.C_GenerateKeyAsync(session.handle, AES_KEY_GEN, newCell(cell));
          const key = findCell(session, cell);
          return await readBack(session, key, await wrapKey(session, key, tek));
        },
      );
    });
  }

  async recordsVersion(): Promise<number> {
    return await this.#pool.use(async (session) => readRecordsVersion(session));
  }

  async raiseRecordsVersion(to: number): Promise<void> {
    await this.#pool.useAlone(async (session) => raiseRecordsVersion(session, to));
  }

  async acceptsRecords(records: number, counted: number): Promise<boolean> {
    return await this.#pool.use(async (session) => session.find(acceptedRecords(records, counted)).length > 0);
  }

  async signingKey(use: SigningUse): Promise<JWK> {
    return await this.#pool.useAlone((session) => signingKeyOf(session, use));
  }

  async sign(use: SigningUse, message: Buffer): Promise<Buffer> {
    return await this.#pool.use((session) => signMessage(session, use, message));
  }
}

/** The same key under the same cell gives the same bytes: what lies there now is the key, and opens. */
async function readBack(session: Session, cell: pkcs11.Handle, wrapped: Buffer): Promise<Buffer> {
  const again = await session.withKey(
    () => unwrapKey(session, cell, wrapped, openedTek()),
    (tek) => wrapKey(session, cell, tek),
  );
  if (wrapped.length !== WRAPPED_TEK_BYTES || !again.equals(wrapped)) {
    throw new SecureGateError('hsm_refused', 'A tenant key does not read back as it was wrapped');
  }
  return wrapped;
}
