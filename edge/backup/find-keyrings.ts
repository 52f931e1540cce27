import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { type KeyringCopy, newestCopy, replicaFolder } from './keyring-copies.ts';
import { readKeyringVersion } from './keyring-version.ts';
import type { Manifest } from './manifest.ts';

/**
 * The keyrings that open a backup. Each must be as new as the newest version that is known, from the key folder and from the
 * backup itself: what neither of them knows, an old copy of the replica among them, cannot be told from the newest.
 * @param replicaDir `keyringReplicaDir` of the box, or a copy of it
 * @throws {SecureGateError} `keyring_missing`, `keyring_outdated`
 */
export async function findKeyrings(manifest: Manifest, replicaDir: string, keyDir: string): Promise<ReadonlyMap<string, KeyringCopy>> {
  const keyrings = new Map<string, KeyringCopy>();
  for (const { id: tenant, keyringVersion } of manifest.tenants) {
    const folder = replicaFolder(replicaDir, manifest.box, tenant);
    const copy = await newestCopy(folder);
    if (copy === undefined)
      throw new SecureGateError('keyring_missing', 'There is no replica of this keyring', { details: { tenant, folder } });
    const known = Math.max(keyringVersion, await readKeyringVersion(keyDir, tenant));
    if (copy.version < known) {
      const details = { tenant, version: copy.version, known };
      throw new SecureGateError('keyring_outdated', 'This replica is not the newest there was', { details });
    }
    keyrings.set(tenant, copy);
  }
  return keyrings;
}
