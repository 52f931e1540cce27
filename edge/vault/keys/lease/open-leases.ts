import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '../../../../shared/log/create-logger.ts';
import { bootTime } from '../../../runtime/boot-time.ts';
import { Tpm } from '../../../runtime/tpm/tpm.ts';
import type { LeaseSettings } from '../../protocol.ts';
import type { VaultScope } from '../../scope.ts';
import { openDeviceKeys } from '../device/open-device-keys.ts';
import type { LeaseCache } from './lease-cache.ts';
import { LeaseKeySource } from './lease-key-source.ts';
import { LeaseRequests } from './lease-requests.ts';
import { LeaseWatch } from './lease-watch.ts';
import { MemoryLeaseCache } from './memory-lease-cache.ts';
import { PersistedTime } from './persisted-time.ts';
import { readAdmins } from './read-admins.ts';
import { readKmsKeys } from './read-kms-keys.ts';
import { SoftwareLeaseCache } from './software-lease-cache.ts';
import { StickRequestFile } from './stick-request-file.ts';
import { TpmLeaseCache } from './tpm-lease-cache.ts';

export interface LeasesOptions {
  readonly scope: VaultScope;
  readonly dataDir: string;
  readonly keyDir: string;
  readonly settings: LeaseSettings;
  readonly logger: Logger;
  /** Called when the lease is over. */
  readonly onEnd: () => void;
}

/** What a vault has for its leases. */
export interface Leases {
  readonly source: LeaseKeySource;
  readonly watch: LeaseWatch;
  stop(): Promise<void>;
}

/**
 * Opens the device's keys, `<keyDir>/device`, which all tenants of the box have in common, and what this tenant keeps of its leases,
 * `<keyDir>/leases/<tenant>`.
 * @throws {SecureGateError} `key_file_unsafe`, `device_keys_unusable`, `tpm_unavailable`, `file_unreadable`, `storage_failed`
 */
export async function openLeases({ scope, dataDir, keyDir, settings, logger, onEnd }: LeasesOptions): Promise<Leases> {
  const { org, tenant, box } = scope;
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const folder = join(keyDir, 'leases', tenant);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { kmsKeys, tpm } = settings;
  const device = await openDeviceKeys({ id: box, folder: join(keyDir, 'device'), dataDir }, tpm);
  const time = new PersistedTime({ file: join(folder, 'time'), rtc: Date.now, bootTime });
  time.start();
  const caches: LeaseCache[] = [new MemoryLeaseCache()];
  if (tpm) {
    const { tcti, pcrs } = tpm;
    const tpmFolder = join(folder, 'tpm');
    mkdirSync(tpmFolder, { recursive: true, mode: 0o700 });
    caches.push(new TpmLeaseCache({ org, tenant, device: box, folder: tpmFolder, tpm: new Tpm(tcti), pcrs, time }));
  }
  caches.push(new SoftwareLeaseCache({ org, tenant, device, file: join(folder, 'leases') }));
  const stickFile = new StickRequestFile(join(folder, 'request.json'), device);
  const requests = new LeaseRequests({ org, tenant, device, time, random: randomBytes, stickFile });
  const believed = { kmsKeys: () => readKmsKeys(kmsKeys), admins: () => readAdmins(kmsKeys) };
  const source = new LeaseKeySource({ org, tenant, device, ...believed, requests, caches, time });
  const watch = new LeaseWatch({ leases: source, time, logger, onEnd });
  return { source, watch, stop: () => watch.stop() };
}
