import { constants, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, privateDecrypt, sign } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';
import { type PublicKey, publicKeySchema } from '../../../../shared/lease/public-key.ts';
import { signJwt } from '../../../../shared/lease/sign-jwt.ts';
import { readKeyFile } from '../../../runtime/read-key-file.ts';
import { writeFileDurably } from '../../../runtime/write-file-durably.ts';
import { VaultLock } from '../../store/vault-lock.ts';
import { keyFolder } from '../key-folder.ts';
import type { DeviceKeys } from './device-keys.ts';

export interface DeviceKeysPlace {
  /** `box_…` */
  readonly id: string;
  /** Folder of the keys, made where there is none. */
  readonly folder: string;
  /** Must exist; the keys must not lie in it. */
  readonly dataDir: string;
}

/**
 * The device's keys as files: `signing.p8` and `wrap.p8` (PKCS#8, DER), mode 0600. Who copies the whole disk is this box.
 */
export class FileDeviceKeys implements DeviceKeys {
  readonly id: string;
  readonly signingKey: PublicKey;
  readonly wrapKey: string;
  readonly #signing: KeyObject;
  readonly #wrap: KeyObject;

  private constructor(id: string, signing: KeyObject, wrap: KeyObject) {
    this.id = id;
    this.#signing = signing;
    this.#wrap = wrap;
    this.signingKey = publicKeySchema.parse(createPublicKey(signing).export({ format: 'jwk' }));
    this.wrapKey = createPublicKey(wrap).export({ type: 'spki', format: 'pem' }).toString();
  }

  /**
   * Opens the keys, after making, durably, what is missing of them.
   * @throws {SecureGateError} `key_file_unsafe`, `device_keys_unusable`, `data_folder_in_use` (others are making them), or an errno
   */
  static open({ id, folder, dataDir }: DeviceKeysPlace): FileDeviceKeys {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const place = keyFolder(folder, dataDir);
    const signing = join(place, 'signing.p8');
    const wrap = join(place, 'wrap.p8');
    if (!existsSync(signing) || !existsSync(wrap)) make(place, signing, wrap);
    return new FileDeviceKeys(id, read(signing, 'ec'), read(wrap, 'rsa'));
  }

  sign(type: string, claims: object): Promise<string> {
    return signJwt(type, claims, this.signingKey, async (input) =>
      sign('sha256', input, { key: this.#signing, dsaEncoding: 'ieee-p1363' }),
    );
  }

  async unwrap(wrapped: Buffer, hash: 'sha1' | 'sha256'): Promise<Buffer> {
    try {
      return privateDecrypt({ key: this.#wrap, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hash }, wrapped);
    } catch (cause) {
      throw new SecureGateError('lease_rejected', 'This was not wrapped to the key of this box', { cause });
    }
  }
}

/** Each tenant's vault is a process that may be the first to need them: one makes them, the others wait for it. */
function make(folder: string, signing: string, wrap: string): void {
  const lock = new VaultLock(join(folder, 'device.lock'));
  lock.acquire();
  try {
    if (!existsSync(signing)) write(signing, generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
    if (!existsSync(wrap)) write(wrap, generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey);
  } finally {
    lock.release();
  }
}

function write(path: string, key: KeyObject): void {
  const bytes = key.export({ type: 'pkcs8', format: 'der' });
  try {
    writeFileDurably(path, bytes);
  } finally {
    bytes.fill(0);
  }
}

function read(path: string, type: 'ec' | 'rsa'): KeyObject {
  const bytes = readKeyFile(path);
  try {
    const key = createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' });
    if (key.asymmetricKeyType === type) return key;
  } catch (cause) {
    throw unusable(path, cause);
  } finally {
    bytes.fill(0);
  }
  throw unusable(path);
}

function unusable(path: string, cause?: unknown): SecureGateError {
  return new SecureGateError('device_keys_unusable', 'The key file of this box does not hold its key', { cause, details: { path } });
}
