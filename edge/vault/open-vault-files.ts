import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type Database from 'better-sqlite3';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { syncFolder } from '../runtime/sync-folder.ts';
import { writeFileDurably } from '../runtime/write-file-durably.ts';
import { HeaderFile } from './keys/header-file.ts';
import type { HeaderKey } from './keys/header-key.ts';
import type { KeySource } from './keys/key-source.ts';
import { Keyring } from './keys/keyring.ts';
import { createHeader, openHeader, parseHeader } from './keys/keyring-header.ts';
import { KEYS_SCHEMA } from './keys/keys-schema.ts';
import { wipeKeys } from './keys/wipe-keys.ts';
import type { VaultScope } from './scope.ts';
import { openEncryptedDatabase } from './store/open-encrypted-database.ts';
import { type VaultFiles, vaultFiles } from './store/vault-files.ts';
import { VAULT_SCHEMA } from './store/vault-schema.ts';

/**
 * Opens a tenant's files, after making them when there are none. Must be called under the tenant's lock.
 * @param folder `<dataDir>/tenants/<tenant>`
 * @returns the keyring and vault.db; the caller closes both, and wipes the outbox key
 * @throws {SecureGateError} `key_file_missing`, `key_file_unsafe`, `key_rejected`, `vault_corrupt`, `vault_newer`, `data_folder_in_use`, `storage_failed`
 */
export async function openVaultFiles(
  folder: string,
  scope: VaultScope,
  source: KeySource,
): Promise<{ keyring: Keyring; database: Database.Database; outboxKey: HeaderKey }> {
  const files = vaultFiles(folder);
  const present = [files.header, files.keysDb, files.vaultDb].filter((path) => existsSync(path));
  if (present.length === 0) await createVaultFiles(files, scope, source);
  else if (present.length < 3) throw new SecureGateError('vault_corrupt', 'Files of this vault are missing', { details: { present } });

  const header = new HeaderFile(files.header, scope, source);
  const opened = await header.open();
  const keys = new Map(opened.keys);
  const fileKeys = take(keys, 'file-keys');
  const fileVault = take(keys, 'file-vault');
  const outboxKey = take(keys, 'outbox');
  // Nothing uses these yet; what is not needed is not kept.
  for (const name of ['clip', 'snapshot', 'index-seed']) take(keys, name).bytes.fill(0);
  let keysDb: Database.Database | undefined;
  try {
    keysDb = openEncryptedDatabase(files.keysDb, { key: fileKeys.bytes, schema: KEYS_SCHEMA, mode: 'open' });
    const database = openEncryptedDatabase(files.vaultDb, { key: fileVault.bytes, schema: VAULT_SCHEMA, mode: 'open' });
    return { keyring: new Keyring(scope, header, { keys, previous: opened.previous }, keysDb), database, outboxKey };
  } catch (error) {
    keysDb?.close();
    outboxKey.bytes.fill(0);
    wipeKeys(keys);
    wipeKeys(opened.previous);
    throw error;
  } finally {
    fileKeys.bytes.fill(0);
    fileVault.bytes.fill(0);
  }
}

/** Everything is made in a folder beside the right place and moved there in one step: a crash leaves a whole vault or none. */
async function createVaultFiles(files: VaultFiles, scope: VaultScope, source: KeySource): Promise<void> {
  const epoch = await source.provision();
  const staging = vaultFiles(`${files.folder}.new`);
  rmSync(staging.folder, { recursive: true, force: true });
  mkdirSync(staging.keyring, { recursive: true, mode: 0o700 });
  const tek = await source.open(epoch);
  const keys = wipeAfter(tek, () => {
    const content = createHeader(tek, epoch, scope);
    writeFileDurably(staging.header, content);
    return openHeader(parseHeader(content, scope), tek, scope);
  });
  for (const [path, name, schema] of [
    [staging.keysDb, 'file-keys', KEYS_SCHEMA],
    [staging.vaultDb, 'file-vault', VAULT_SCHEMA],
  ] as const) {
    const key = keys.get(name);
    if (!key) throw new RangeError(`The header was made without ${name}`);
    openEncryptedDatabase(path, { key: key.bytes, schema, mode: 'create' }).close();
  }
  wipeKeys(keys);
  syncFolder(staging.keyring);
  syncFolder(staging.folder);
  renameSync(staging.folder, files.folder);
  syncFolder(dirname(files.folder));
}

function take(keys: Map<string, HeaderKey>, name: string): HeaderKey {
  const key = keys.get(name);
  if (!key) throw new RangeError(`The header was opened without ${name}`);
  keys.delete(name);
  return key;
}

function wipeAfter<Result>(secret: Buffer, use: () => Result): Result {
  try {
    return use();
  } finally {
    secret.fill(0);
  }
}
