import { existsSync, lstatSync, mkdirSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Removed } from '../../../shared/fleet/ack.ts';
import { bootTime } from '../../runtime/boot-time.ts';
import { destroyFile } from '../../runtime/destroy-file.ts';
import { syncFolder } from '../../runtime/sync-folder.ts';
import { Tpm } from '../../runtime/tpm/tpm.ts';
import { PersistedTime } from '../keys/lease/persisted-time.ts';
import { TpmLeaseCache } from '../keys/lease/tpm-lease-cache.ts';
import type { LeaseSettings } from '../protocol.ts';
import type { VaultScope } from '../scope.ts';
import { VaultLock } from '../store/vault-lock.ts';
import { tenantTraces } from './tenant-traces.ts';

export interface ShredPlace {
  readonly scope: VaultScope;
  readonly dataDir: string;
  readonly keyDir: string;
  readonly lease: LeaseSettings | undefined;
}

/** What there is to remove of a tenant, before anything of it is. */
export function countTraces({ scope, dataDir, keyDir, lease }: ShredPlace): Removed {
  const { keyFiles, dataFiles } = tenantTraces({ tenant: scope.tenant, dataDir, keyDir });
  return {
    keyFiles: keyFiles.length,
    dataFiles: dataFiles.length,
    bytes: [...keyFiles, ...dataFiles].reduce((sum, path) => sum + lstatSync(path).size, 0),
    customers: 0,
    tpmCounter: lease?.tpm !== undefined && hasFiles(tpmFolder(keyDir, scope.tenant)),
  };
}

/**
 * Removes everything of a tenant from this box, the keys first: from then on nothing of the rest opens. Cut off anywhere, it is done
 * again from the beginning; what is gone is no matter.
 * @throws {SecureGateError} `data_folder_in_use` (another process still has it), `lease_cache_failed`, `tpm_unavailable`
 */
export async function shredTenant({ scope, dataDir, keyDir, lease }: ShredPlace): Promise<void> {
  const { tenant, org, box } = scope;
  const tenants = join(dataDir, 'tenants');
  mkdirSync(tenants, { recursive: true, mode: 0o700 });
  const lockFile = join(tenants, `${tenant}.lock`);
  const lock = new VaultLock(lockFile);
  lock.acquire();
  try {
    const { keyFiles } = tenantTraces({ tenant, dataDir, keyDir });
    const sealed = tpmFolder(keyDir, tenant);
    // The TPM's counter is found by what it sealed: that goes last of the keys, so that a TPM which is away is asked again.
    for (const path of keyFiles) if (!path.startsWith(sealed)) destroyFile(path);
    if (lease?.tpm && hasFiles(sealed)) {
      const { tcti, pcrs } = lease.tpm;
      const time = new PersistedTime({ file: join(keyDir, 'leases', tenant, 'time'), rtc: Date.now, bootTime });
      await new TpmLeaseCache({ org, tenant, device: box, folder: sealed, tpm: new Tpm(tcti), pcrs, time }).forget();
    }
    const left = tenantTraces({ tenant, dataDir, keyDir });
    for (const path of left.keyFiles) destroyFile(path);
    for (const path of left.dataFiles) rmSync(path);
    for (const folder of left.folders) rmdirSync(folder);
    for (const folder of [tenants, keyDir, ...left.folders.map(dirname)]) if (existsSync(folder)) syncFolder(folder);
  } finally {
    lock.release();
  }
  rmSync(lockFile, { force: true });
}

function tpmFolder(keyDir: string, tenant: string): string {
  return join(keyDir, 'leases', tenant, 'tpm');
}

function hasFiles(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).length > 0;
}
