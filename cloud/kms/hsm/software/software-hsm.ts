import {
  constants,
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
  sign,
} from 'node:crypto';
import type { JWK } from 'jose';
import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';
import { anotherKey } from '../another-key.ts';
import { type Cell, type Hsm, type HsmCapabilities, type SigningUse, TRANSPORT_KEY_BITS, tekCheckPrefix } from '../hsm.ts';
import { keyUnwrapPad, keyWrapPad } from './aes-key-wrap-pad.ts';
import { Keystore } from './keystore.ts';
import { TrustedFolder } from './trusted-folder.ts';

const KEY_BYTES = 32;
const OAEP = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' } as const;

export interface SoftwareHsmOptions {
  /** Folder of the sealed keys. */
  readonly keystore: string;
  /** Folder of the device keys that may receive tenant keys. */
  readonly trustedKeys: string;
  /** Reads the master key, 32 bytes. It lies outside the keystore: a copy of that alone opens nothing. */
  readonly masterKey: () => Buffer;
}

/** The same operations without an HSM. Keys pass through this process's memory, and a deleted one may live on in a backup. */
export class SoftwareHsm implements Hsm {
  readonly title = 'software, not an HSM';
  readonly capabilities: HsmCapabilities = { wrapInHsm: false, trustedWrap: false, oaepHash: 'sha256', destroyHorizonDays: null };
  readonly #masterKey: () => Buffer;
  readonly #keystore: Keystore;
  readonly #trusted: TrustedFolder;

  constructor(options: SoftwareHsmOptions) {
    this.#masterKey = options.masterKey;
    this.#keystore = new Keystore(options.keystore);
    this.#trusted = new TrustedFolder(options.trustedKeys);
  }

  async start(): Promise<void> {
    const master = this.#masterKey();
    if (master.length !== KEY_BYTES) throw new SecureGateError('secret_file_unsafe', 'The master key does not have 32 bytes');
    this.#keystore.open(master);
  }

  async stop(): Promise<void> {
    this.#keystore.close();
  }

  async probe(): Promise<void> {
    // Every key is read from the file by whoever needs it: that is all there is to reach.
  }

  async createCell(cell: Cell): Promise<void> {
    using(randomBytes(KEY_BYTES), (key) => {
      if (!this.#keystore.addCell(cell, key)) {
        throw new SecureGateError('conflict', 'There is a cell of this tenant and epoch already', { details: { ...cell } });
      }
    });
  }

  async hasCell(cell: Cell): Promise<boolean> {
    const key = this.#keystore.cell(cell);
    key?.fill(0);
    return key !== undefined;
  }

  async destroyCell(cell: Cell): Promise<void> {
    this.#keystore.removeCell(cell);
  }

  async createTek(cell: Cell): Promise<Buffer> {
    return using(this.#cell(cell), (key) => using(randomBytes(KEY_BYTES), (tek) => wrapAndReadBack(key, tek)));
  }

  async exportTek(cell: Cell, wrapped: Buffer, device: string): Promise<Buffer> {
    const { key: deviceKey } = this.#trusted.find(device);
    return using(this.#unwrap(cell, wrapped), (tek) => publicEncrypt({ key: deviceKey, ...OAEP }, tek));
  }

  async checkTek(cell: Cell, wrapped: Buffer): Promise<Buffer> {
    return using(this.#unwrap(cell, wrapped), (tek) => checkValueOf(cell, tek));
  }

  async transportKey(org: string): Promise<string> {
    const known = this.#keystore.transportKey(org);
    if (known) return using(known, publicPem);
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: TRANSPORT_KEY_BITS });
    return using(privateKey.export({ type: 'pkcs8', format: 'der' }), (key) => {
      this.#keystore.addTransportKey(org, key);
      return publicPem(key);
    });
  }

  async destroyTransportKey(org: string): Promise<void> {
    this.#keystore.removeTransportKey(org);
  }

  async importTek(cell: Cell, handedOver: Buffer, check: Buffer): Promise<Buffer> {
    return using(this.#openHandedOver(cell.org, handedOver), (tek) => {
      if (!checkValueOf(cell, tek).equals(check)) throw anotherKey(cell);
      return using(randomBytes(KEY_BYTES), (key) => {
        this.#keystore.removeCell(cell);
        this.#keystore.addCell(cell, key);
        return wrapAndReadBack(key, tek);
      });
    });
  }

  async recordsVersion(): Promise<number> {
    return this.#keystore.recordsVersion();
  }

  async raiseRecordsVersion(to: number): Promise<void> {
    this.#keystore.raiseRecordsVersion(to);
  }

  async acceptsRecords(records: number, counted: number): Promise<boolean> {
    return this.#trusted.acceptsRecords(records, counted);
  }

  async signingKey(use: SigningUse): Promise<JWK> {
    const known = this.#keystore.signingKey(use);
    if (known) return using(known, publicJwk);
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    return using(privateKey.export({ type: 'pkcs8', format: 'der' }), (key) => {
      this.#keystore.addSigningKey(use, key);
      return publicJwk(key);
    });
  }

  async sign(use: SigningUse, message: Buffer): Promise<Buffer> {
    const key = this.#keystore.signingKey(use);
    if (!key) throw new SecureGateError('hsm_refused', 'There is no signing key for this use yet', { details: { use } });
    return using(key, () => sign('sha256', message, { key: privateKeyOf(key), dsaEncoding: 'ieee-p1363' }));
  }

  #openHandedOver(org: string, handedOver: Buffer): Buffer {
    const key = this.#keystore.transportKey(org);
    if (!key) throw new SecureGateError('recovery_rejected', 'No keys of this org are taken over', { details: { org } });
    try {
      return using(key, () => privateDecrypt({ key: privateKeyOf(key), ...OAEP }, handedOver));
    } catch (cause) {
      throw new SecureGateError('tek_rejected', 'What a box handed over does not open', { cause });
    }
  }

  #unwrap(cell: Cell, wrapped: Buffer): Buffer {
    const tek = using(this.#cell(cell), (key) => keyUnwrapPad(key, wrapped));
    if (tek === null) throw new SecureGateError('tek_rejected', 'The wrapped tenant key does not open under its cell');
    return tek;
  }

  #cell(cell: Cell): Buffer {
    const key = this.#keystore.cell(cell);
    if (!key) throw new SecureGateError('cell_gone', 'There is no cell of this tenant and epoch', { details: { ...cell } });
    return key;
  }
}

/** Works with a secret and wipes it. */
function using<T>(secret: Buffer, work: (secret: Buffer) => T): T {
  try {
    return work(secret);
  } finally {
    secret.fill(0);
  }
}

function wrapAndReadBack(key: Buffer, tek: Buffer): Buffer {
  const wrapped = keyWrapPad(key, tek);
  const again = keyUnwrapPad(key, wrapped);
  const same = again?.equals(tek);
  again?.fill(0);
  if (!same) throw new SecureGateError('hsm_refused', 'A tenant key does not read back as it was wrapped');
  return wrapped;
}

function checkValueOf(cell: Cell, tek: Buffer): Buffer {
  return createHash('sha256').update(tekCheckPrefix(cell)).update(tek).digest();
}

function privateKeyOf(der: Buffer): ReturnType<typeof createPrivateKey> {
  return createPrivateKey({ key: der, type: 'pkcs8', format: 'der' });
}

function publicJwk(der: Buffer): JWK {
  return createPublicKey(privateKeyOf(der)).export({ format: 'jwk' }) as JWK;
}

function publicPem(der: Buffer): string {
  return createPublicKey(privateKeyOf(der)).export({ type: 'spki', format: 'pem' }).toString();
}
