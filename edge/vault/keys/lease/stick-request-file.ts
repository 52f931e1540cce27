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

const storedSchema = leaseClaimsSchema
  .pick({ epoch: true, nonce: true })
  .extend({ madeAt: z.int(), publicKey: z.base64url(), privateKey: z.base64url() });
type StoredRequest = z.output<typeof storedSchema>;
const fileSchema = z.array(storedSchema);

/**
 * The requests that travel on a stick, each for as long as it waits. Their one-use keys are wrapped to the device's own key (RSA-OAEP,
 * RFC 8017): the file is of no use without the device.
 */
export class StickRequestFile {
  readonly #path: string;
  readonly #device: DeviceKeys;

  constructor(path: string, device: DeviceKeys) {
    this.#path = path;
    this.#device = device;
  }

  /** Puts these in the place of those before. @throws {SecureGateError} `storage_failed` */
  async save(requests: readonly OpenRequest[]): Promise<void> {
    this.#write(await Promise.all(requests.map((request) => this.#wrap(request))));
  }

  /** @returns undefined where it does not wait; a file that cannot be read holds none, new requests take its place */
  async find(wanted: string): Promise<OpenRequest | undefined> {
    const stored = this.#read().find(({ nonce }) => nonce === wanted);
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

  /** @throws {SecureGateError} `storage_failed` */
  remove(answered: string): void {
    const left = this.#read().filter(({ nonce }) => nonce !== answered);
    if (left.length > 0) {
      this.#write(left);
      return;
    }
    rmSync(this.#path, { force: true });
    syncFolder(dirname(this.#path));
  }

  async #wrap({ epoch, nonce, madeAt, oneUse }: OpenRequest): Promise<StoredRequest> {
    const bytes = Buffer.from(await EXPORT_SUITE.SerializePrivateKey(oneUse.privateKey));
    try {
      const key = createPublicKey(this.#device.wrapKey);
      const wrapped = publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: HASH }, bytes);
      return { epoch, nonce, madeAt, publicKey: await publicHalf(oneUse), privateKey: wrapped.toString('base64url') };
    } finally {
      bytes.fill(0);
    }
  }

  #write(requests: readonly StoredRequest[]): void {
    try {
      writeFileDurably(this.#path, Buffer.from(JSON.stringify(requests)));
    } catch (cause) {
      throw SecureGateError.from(cause, 'storage_failed');
    }
  }

  #read(): readonly StoredRequest[] {
    if (!existsSync(this.#path)) return [];
    try {
      return fileSchema.parse(JSON.parse(readFileSync(this.#path, 'utf8')));
    } catch {
      return [];
    }
  }
}
