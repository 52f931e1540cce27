import { constants, createPublicKey, publicEncrypt } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';
import { EXPORT_SUITE } from '../../../../shared/lease/export-seal.ts';
import { leaseClaimsSchema } from '../../../../shared/lease/lease-token.ts';
import { syncFolder } from '../../../runtime/sync-folder.ts';
import { writeFileDurably } from '../../../runtime/write-file-durably.ts';
import type { DeviceKeys } from '../device/device-keys.ts';
import { publicHalf } from './one-use-key.ts';
import type { OpenRequest } from './open-request.ts';

const HASH = 'sha256';

const fileSchema = leaseClaimsSchema
  .pick({ epoch: true, nonce: true })
  .extend({ madeAt: z.int(), publicKey: z.base64url(), privateKey: z.base64url() });
type StoredRequest = z.output<typeof fileSchema>;

/**
 * The request that travels on a stick, for as long as it waits. Its one-use key is wrapped to the device's own key (RSA-OAEP,
 * RFC 8017): the file is of no use without the device.
 */
export class StickRequestFile {
  readonly #path: string;
  readonly #device: DeviceKeys;

  constructor(path: string, device: DeviceKeys) {
    this.#path = path;
    this.#device = device;
  }

  /** @throws {SecureGateError} `storage_failed` */
  async save({ epoch, nonce, madeAt, oneUse }: OpenRequest): Promise<void> {
    const bytes = Buffer.from(await EXPORT_SUITE.SerializePrivateKey(oneUse.privateKey));
    try {
      const key = createPublicKey(this.#device.wrapKey);
      const wrapped = publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: HASH }, bytes);
      const privateKey = wrapped.toString('base64url');
      const stored: StoredRequest = { epoch, nonce, madeAt, publicKey: await publicHalf(oneUse), privateKey };
      writeFileDurably(this.#path, Buffer.from(JSON.stringify(stored)));
    } catch (cause) {
      throw SecureGateError.from(cause, 'storage_failed');
    } finally {
      bytes.fill(0);
    }
  }

  /** @returns undefined where none waits; a file that cannot be read counts as none, a new request takes its place */
  async load(): Promise<OpenRequest | undefined> {
    const stored = this.#read();
    if (stored === undefined) return undefined;
    const { epoch, nonce, madeAt } = stored;
    const publicKey = await EXPORT_SUITE.DeserializePublicKey(Buffer.from(stored.publicKey, 'base64url'));
    const bytes = await this.#device.unwrap(Buffer.from(stored.privateKey, 'base64url'), HASH);
    try {
      return { epoch, nonce, madeAt, oneUse: { privateKey: await EXPORT_SUITE.DeserializePrivateKey(bytes), publicKey }, onStick: true };
    } finally {
      bytes.fill(0);
    }
  }

  remove(): void {
    rmSync(this.#path, { force: true });
    syncFolder(dirname(this.#path));
  }

  #read(): StoredRequest | undefined {
    if (!existsSync(this.#path)) return undefined;
    try {
      return fileSchema.parse(JSON.parse(readFileSync(this.#path, 'utf8')));
    } catch {
      return undefined;
    }
  }
}
