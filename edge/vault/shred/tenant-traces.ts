import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { vaultFiles } from '../store/vault-files.ts';

export interface TracesOf {
  readonly tenant: string;
  readonly dataDir: string;
  readonly keyDir: string;
}

/** The files that a box holds of a tenant. */
export interface TenantTraces {
  /** Keys and what opens them. */
  readonly keyFiles: readonly string[];
  readonly dataFiles: readonly string[];
  /** Folders that are the tenant's alone, each after those in it. */
  readonly folders: readonly string[];
}

/** Finds whatever a vault, whole or half made, leaves on the disk: a shred removes just this. */
export function tenantTraces({ tenant, dataDir, keyDir }: TracesOf): TenantTraces {
  const tenants = join(dataDir, 'tenants');
  const own = [join(tenants, tenant), join(tenants, `${tenant}.new`)];
  const leases = join(keyDir, 'leases', tenant);
  const [keyFiles, dataFiles, folders]: [string[], string[], string[]] = [[], [], []];
  for (const folder of own) {
    const { keyring } = vaultFiles(folder);
    const found = walk(folder);
    folders.push(...found.folders);
    for (const file of found.files) (file.startsWith(keyring) ? keyFiles : dataFiles).push(file);
  }
  const kept = walk(leases);
  const tenantKey = new RegExp(`^${tenant}(\\.[1-9][0-9]*)?\\.key(\\.new)?$`);
  keyFiles.push(...kept.files, ...namesIn(keyDir).flatMap((name) => (tenantKey.test(name) ? [join(keyDir, name)] : [])));
  folders.push(...kept.folders);
  return { keyFiles, dataFiles, folders };
}

function walk(folder: string): { files: string[]; folders: string[] } {
  if (!existsSync(folder)) return { files: [], folders: [] };
  const inside = namesIn(folder).map((name) => {
    const path = join(folder, name);
    return lstatSync(path).isDirectory() ? walk(path) : { files: [path], folders: [] };
  });
  return { files: inside.flatMap(({ files }) => files), folders: [...inside.flatMap(({ folders }) => folders), folder] };
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
