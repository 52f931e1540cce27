import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openHeader, parseHeader } from '../../edge/vault/keys/keyring-header.ts';
import { StandaloneKeySource } from '../../edge/vault/keys/standalone-key-source.ts';
import { openVaultFiles } from '../../edge/vault/open-vault-files.ts';
import { vaultFiles } from '../../edge/vault/store/vault-files.ts';
import type { ByteSearch } from '../../provisioning/demo/scan/byte-search.ts';
import { EMBEDDING_FORMS } from '../../provisioning/demo/scan/encodings.ts';
import { noteSecret } from './secrecy/note-secret.ts';
import { tempFolder } from './temp-folder.ts';
import type { TestBox } from './vault.ts';

/** All keys of a tenant, by their names; a customer's by `customer key CUSTOMER`. */
export type VaultKeys = ReadonlyMap<string, Buffer>;

/** The keys in the files of a vault that may be at work: read from a copy. */
export async function vaultKeys(of: TestBox, tenant: string, customerIds: readonly string[]): Promise<VaultKeys> {
  const folder = join(await tempFolder(), tenant);
  const scope = { org: 'acme', tenant, box: of.box };
  const source = new StandaloneKeySource({ ...of, tenant });
  await cp(join(of.dataDir, 'tenants', tenant), folder, { recursive: true });
  const header = parseHeader(await readFile(vaultFiles(folder).header), scope);
  const tek = await source.open(header.epoch);
  const keys = new Map([['tenant key', tek]]);
  for (const [name, { bytes }] of openHeader(header, tek, scope)) keys.set(name, bytes);
  const { keyring, database } = await openVaultFiles(folder, scope, source);
  for (const id of customerIds) {
    const key = keyring.open(id);
    if (key) keys.set(`customer key ${id}`, key.bytes);
  }
  database.close();
  keyring.close();
  for (const [name, bytes] of keys) noteSecret(name, bytes);
  return keys;
}

/** A search for keys, also for halves of them. */
export function addKeys(search: ByteSearch, keys: VaultKeys): ByteSearch {
  for (const [name, bytes] of keys) addWindows(search, name, bytes, 16, 8);
  return search;
}

/** And for an embedding in every form that one could have in an index: 16 values in a row are enough, or 128 signs. */
export function addEmbedding(search: ByteSearch, name: string, embedding: Float32Array): ByteSearch {
  for (const [form, encode] of Object.entries(EMBEDDING_FORMS)) {
    const bytes = encode(embedding);
    addWindows(search, `${name}, ${form}`, bytes, (16 * bytes.length) / embedding.length);
  }
  const signs = Buffer.alloc(embedding.length / 8);
  for (const [index, value] of embedding.entries()) if (value > 0) signs[index >> 3] = (signs[index >> 3] ?? 0) | (1 << (index & 7));
  addWindows(search, `${name}, signs`, signs, 16);
  return search;
}

function addWindows(search: ByteSearch, label: string, bytes: Buffer, window: number, step = window): void {
  for (let at = 0; at + window <= bytes.length; at += step) search.add(label, bytes.subarray(at, at + window));
}
