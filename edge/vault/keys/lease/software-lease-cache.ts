import { constants, publicEncrypt } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';
import { SerialWork } from '../../../../shared/runtime/serial-work.ts';
import { syncFolder } from '../../../runtime/sync-folder.ts';
import { writeFileDurably } from '../../../runtime/write-file-durably.ts';
import type { DeviceKeys } from '../device/device-keys.ts';
import { type LeaseBundle, newBundleKey, openBundle, sealBundle, takeLease, wipeBundle } from './lease-bundle.ts';
import type { HeldLease, LeaseCache } from './lease-cache.ts';

const HASH = 'sha256';
/** RSA-2048. */
const WRAPPED_BYTES = 256;

export interface SoftwareLeaseCacheOptions {
  readonly org: string;
  readonly tenant: string;
  readonly device: DeviceKeys;
  /** In a folder that is there. */
  readonly file: string;
}

/**
 * Leases in a file, sealed under a key that is wrapped to this box's own. It keeps a copy of this file alone from being read, and nothing
 * else: who has the whole disk has the box's key too, and an older disk put back brings an older lease back. The end of a lease then
 * rests on this program alone. A box whose key lies in its TPM at least keeps the file from being opened elsewhere.
 */
export class SoftwareLeaseCache implements LeaseCache {
  readonly enforcement = 'software';
  readonly #options: SoftwareLeaseCacheOptions;
  readonly #work = new SerialWork();

  constructor(options: SoftwareLeaseCacheOptions) {
    this.#options = options;
  }

  load(epoch: number): Promise<HeldLease | undefined> {
    return this.#work.run(async () => takeLease(await this.#read(), epoch));
  }

  save(epoch: number, lease: HeldLease): Promise<void> {
    return this.#work.run(async () => {
      // What does not open any more is replaced: the new lease is what helps.
      const bundle = await this.#read().catch((): LeaseBundle => new Map());
      const earlier = bundle.get(epoch);
      try {
        this.#write(new Map(bundle).set(epoch, lease));
      } finally {
        earlier?.tek.fill(0);
        wipeBundle(bundle);
      }
    });
  }

  forget(before = Number.POSITIVE_INFINITY): Promise<void> {
    return this.#work.run(async () => {
      const { file } = this.#options;
      if (!existsSync(file)) return;
      const bundle = before === Number.POSITIVE_INFINITY ? new Map() : await this.#read();
      try {
        const kept: LeaseBundle = new Map([...bundle].filter(([epoch]) => epoch >= before));
        if (kept.size > 0) return this.#write(kept);
        rmSync(file);
        syncFolder(dirname(file));
      } catch (cause) {
        throw failed('A lease cannot be removed', cause);
      } finally {
        wipeBundle(bundle);
      }
    });
  }

  async #read(): Promise<LeaseBundle> {
    const { device, file } = this.#options;
    if (!existsSync(file)) return new Map();
    try {
      const content = readFileSync(file);
      const key = await device.unwrap(content.subarray(0, WRAPPED_BYTES), HASH);
      try {
        return openBundle(key, this.#context(), content.subarray(WRAPPED_BYTES));
      } finally {
        key.fill(0);
      }
    } catch (cause) {
      throw failed('The kept leases do not open: they are damaged, or another box wrote them', cause);
    }
  }

  #write(bundle: LeaseBundle): void {
    const { device, file } = this.#options;
    const key = newBundleKey();
    try {
      const wrapped = publicEncrypt({ key: device.wrapKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: HASH }, key);
      writeFileDurably(file, Buffer.concat([wrapped, sealBundle(key, this.#context(), bundle)]));
    } catch (cause) {
      throw failed('The lease cannot be written', cause);
    } finally {
      key.fill(0);
    }
  }

  #context(): { org: string; tenant: string; record: string } {
    const { org, tenant, device } = this.#options;
    return { org, tenant, record: device.id };
  }
}

function failed(message: string, cause: unknown): SecureGateError {
  return new SecureGateError('lease_cache_failed', message, { cause });
}
