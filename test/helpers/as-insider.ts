import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type Database from 'better-sqlite3';
import { openHeader, parseHeader } from '../../edge/vault/keys/keyring-header.ts';
import { KEYS_SCHEMA } from '../../edge/vault/keys/keys-schema.ts';
import { StandaloneKeySource } from '../../edge/vault/keys/standalone-key-source.ts';
import { openEncryptedDatabase } from '../../edge/vault/store/open-encrypted-database.ts';
import { vaultFiles } from '../../edge/vault/store/vault-files.ts';
import { VAULT_SCHEMA } from '../../edge/vault/store/vault-schema.ts';
import type { TestBox } from './vault.ts';

/** What somebody can do to a stopped vault who has the key file as well: open the databases and change rows. */
export async function asInsider<Result>(
  { box, dataDir, keyDir }: TestBox,
  file: 'file-vault' | 'file-keys',
  use: (database: Database.Database) => Result,
): Promise<Result> {
  const files = vaultFiles(join(dataDir, 'tenants', 'hall'));
  const scope = { org: 'acme', tenant: 'hall', box };
  const header = parseHeader(await readFile(files.header), scope);
  const tek = await new StandaloneKeySource({ keyDir, dataDir, tenant: 'hall' }).open(header.epoch);
  const keys = openHeader(header, tek, scope);
  const [path, schema] = file === 'file-vault' ? [files.vaultDb, VAULT_SCHEMA] : [files.keysDb, KEYS_SCHEMA];
  const database = openEncryptedDatabase(path, { key: keys.get(file)?.bytes ?? Buffer.alloc(0), schema, mode: 'open' });
  try {
    return use(database);
  } finally {
    database.close();
  }
}
