import { createHash, createPublicKey } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';
import { bytesSchema } from '../../../../shared/lease/lease-answer.ts';
import { type PublicKey, publicKeySchema } from '../../../../shared/lease/public-key.ts';
import { signJwt } from '../../../../shared/lease/sign-jwt.ts';
import { readKeyFile } from '../../../runtime/read-key-file.ts';
import { createPrimary, PRIMARY } from '../../../runtime/tpm/create-primary.ts';
import type { Tpm, TpmBench } from '../../../runtime/tpm/tpm.ts';
import { TpmRefusal } from '../../../runtime/tpm/tpm-refusal.ts';
import { withSession } from '../../../runtime/tpm/with-session.ts';
import { writeFileDurably } from '../../../runtime/write-file-durably.ts';
import { VaultLock } from '../../store/vault-lock.ts';
import { keyFolder } from '../key-folder.ts';
import type { DeviceKeys } from './device-keys.ts';
import type { DeviceKeysPlace } from './file-device-keys.ts';

const COORDINATE_BYTES = 32;
const KEY = 'key.ctx';
/** Made in this TPM and never to leave it. */
const ATTRIBUTES = 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda';

/** A key as the TPM gives it out: the private part is encrypted, and only the same TPM can load it. */
const storedKeySchema = z.strictObject({ version: z.literal(1), public: bytesSchema, private: bytesSchema });
type StoredKey = z.output<typeof storedKeySchema>;

interface Keys {
  readonly signing: StoredKey;
  readonly wrap: StoredKey;
}

/**
 * The device's keys made in its TPM, which alone can use them: `signing.tpm` and `wrap.tpm` are of no use elsewhere, so who copies the
 * whole disk is not this box. When the TPM is cleared or exchanged, the box needs new keys and a new assignment.
 */
export class TpmDeviceKeys implements DeviceKeys {
  readonly id: string;
  readonly signingKey: PublicKey;
  readonly wrapKey: string;
  readonly #tpm: Tpm;
  readonly #keys: Keys;

  private constructor(id: string, signingKey: PublicKey, wrapKey: string, tpm: Tpm, keys: Keys) {
    this.id = id;
    this.signingKey = signingKey;
    this.wrapKey = wrapKey;
    this.#tpm = tpm;
    this.#keys = keys;
  }

  /**
   * Opens the keys, after making what is missing of them.
   * @throws {SecureGateError} `key_file_unsafe`, `device_keys_unusable` (also: made in another TPM), `tpm_unavailable`,
   * `data_folder_in_use` (others are making them), or an errno
   */
  static async open({ id, folder, dataDir }: DeviceKeysPlace, tpm: Tpm): Promise<TpmDeviceKeys> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const place = keyFolder(folder, dataDir);
    const paths = { signing: join(place, 'signing.tpm'), wrap: join(place, 'wrap.tpm') };
    return await tpm.work(async (bench) => {
      await createPrimary(bench);
      if (!existsSync(paths.signing) || !existsSync(paths.wrap)) await make(bench, place, paths);
      const keys = { signing: read(paths.signing), wrap: read(paths.wrap) };
      const signingKey = publicKeySchema.parse(createPublicKey(await publicPem(bench, keys.signing)).export({ format: 'jwk' }));
      return new TpmDeviceKeys(id, signingKey, await publicPem(bench, keys.wrap), tpm, keys);
    });
  }

  sign(type: string, claims: object): Promise<string> {
    return signJwt(type, claims, this.signingKey, (input) =>
      this.#with(this.#keys.signing, async (bench) => {
        await bench.write('digest', createHash('sha256').update(input).digest());
        await bench.run('tpm2_sign', ['-c', KEY, '-g', 'sha256', '-s', 'ecdsa', '-d', 'digest', '-o', 'signature']);
        return pointsOf(await bench.read('signature'));
      }),
    );
  }

  unwrap(wrapped: Buffer, hash: 'sha1' | 'sha256'): Promise<Buffer> {
    return this.#with(this.#keys.wrap, async (bench) => {
      await bench.write('wrapped', wrapped);
      try {
        return await withSession(bench, 'hmac', (session) =>
          bench.run('tpm2_rsadecrypt', ['-c', KEY, '-p', `session:${session}`, '-s', `oaep-${hash}`, 'wrapped']),
        );
      } catch (cause) {
        if (!(cause instanceof TpmRefusal)) throw cause;
        throw new SecureGateError('lease_rejected', 'This was not wrapped to the key of this box', { cause });
      }
    });
  }

  #with<T>(key: StoredKey, task: (bench: TpmBench) => Promise<T>): Promise<T> {
    return this.#tpm.work(async (bench) => {
      await createPrimary(bench);
      await load(bench, key);
      return await task(bench);
    });
  }
}

/** Each tenant's vault is a process that may be the first to need them: one makes them, the others wait for it. */
async function make(bench: TpmBench, folder: string, paths: { signing: string; wrap: string }): Promise<void> {
  const lock = new VaultLock(join(folder, 'device.lock'));
  lock.acquire();
  try {
    if (!existsSync(paths.signing)) writeFileDurably(paths.signing, await create(bench, 'ecc256', 'sign'));
    if (!existsSync(paths.wrap)) writeFileDurably(paths.wrap, await create(bench, 'rsa2048', 'decrypt'));
  } finally {
    lock.release();
  }
}

async function create(bench: TpmBench, algorithm: string, use: 'sign' | 'decrypt'): Promise<Buffer> {
  const files = ['-u', 'key.pub', '-r', 'key.priv'];
  await bench.run('tpm2_create', ['-Q', '-C', PRIMARY, '-G', algorithm, '-a', `${ATTRIBUTES}|${use}`, ...files]);
  const stored: StoredKey = { version: 1, public: await bench.read('key.pub'), private: await bench.read('key.priv') };
  return Buffer.from(JSON.stringify(storedKeySchema.encode(stored)));
}

function read(path: string): StoredKey {
  try {
    return storedKeySchema.decode(JSON.parse(readKeyFile(path).toString()));
  } catch (cause) {
    if (cause instanceof SecureGateError) throw cause;
    throw new SecureGateError('device_keys_unusable', 'The key file of this box does not hold its key', { cause, details: { path } });
  }
}

async function load(bench: TpmBench, key: StoredKey): Promise<void> {
  await bench.write('key.pub', key.public);
  await bench.write('key.priv', key.private);
  try {
    await bench.run('tpm2_load', ['-Q', '-C', PRIMARY, '-u', 'key.pub', '-r', 'key.priv', '-c', KEY]);
  } catch (cause) {
    if (!(cause instanceof TpmRefusal)) throw cause;
    const message = 'This TPM did not make the keys of this box: they come from another one, are damaged, or the TPM was cleared';
    throw new SecureGateError('device_keys_unusable', message, { cause });
  }
}

async function publicPem(bench: TpmBench, key: StoredKey): Promise<string> {
  await load(bench, key);
  await bench.run('tpm2_readpublic', ['-Q', '-c', KEY, '-f', 'pem', '-o', 'key.pem']);
  return (await bench.read('key.pem')).toString();
}

/** R and S, each as a number of 32 bytes (RFC 7518, 3.4), of a TPMT_SIGNATURE: two algorithm ids, then R and S with their lengths. */
function pointsOf(signature: Buffer): Buffer {
  const points = Buffer.alloc(2 * COORDINATE_BYTES);
  let at = 4;
  for (const end of [COORDINATE_BYTES, 2 * COORDINATE_BYTES]) {
    const length = signature.readUInt16BE(at);
    signature.copy(points, end - length, at + 2, at + 2 + length);
    at += 2 + length;
  }
  return points;
}
