import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isEnvelope } from './open-sealed.ts';
import type { SealedLeases } from './unseal-by-tpm.ts';

const SQLITE = Buffer.from('SQLite format 3\0');
const KEY_BYTES = 32;
/** RSA-2048: a lease that is kept in a file begins with its key, wrapped to the box's. */
const WRAPPED_BYTES = 256;

/** The keyring of one tenant on one box, as far as it is in clear. */
export interface Keyring {
  readonly org: string;
  readonly tenant: string;
  readonly box: string;
  readonly keys: Readonly<Record<string, { readonly version: number; readonly envelope: string }>>;
  readonly previous?: Keyring['keys'];
}

/** What lies in folders, by what an attacker can do with it. */
export interface CopiedFiles {
  /** Private RSA keys of boxes. */
  readonly boxKeys: KeyObject[];
  /** Files that can be nothing but a key. */
  readonly keyFiles: Buffer[];
  readonly keyrings: Keyring[];
  readonly databases: string[];
  readonly encryptedDatabases: string[];
  readonly keptLeases: { readonly wrapped: Buffer; readonly envelope: Buffer }[];
  /** Leases whose key only a TPM gives out. */
  readonly sealedByTpm: SealedLeases[];
}

/** Sorts all files of these folders. */
export function copiedFiles(folders: readonly string[]): CopiedFiles {
  const found: CopiedFiles = {
    ...{ boxKeys: [], keyFiles: [], keyrings: [], databases: [], encryptedDatabases: [], keptLeases: [], sealedByTpm: [] },
  };
  for (const folder of folders) {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) sort(join(entry.parentPath, entry.name), found);
    }
  }
  return found;
}

function sort(path: string, found: CopiedFiles): void {
  const content = readFileSync(path);
  const envelope = content.subarray(WRAPPED_BYTES);
  if (content.subarray(0, SQLITE.length).equals(SQLITE)) found.databases.push(path);
  else if (path.endsWith('.db') && content.length > 0) found.encryptedDatabases.push(path);
  else if (content.length === KEY_BYTES) found.keyFiles.push(content);
  else if (isEnvelope(envelope)) found.keptLeases.push({ wrapped: content.subarray(0, WRAPPED_BYTES), envelope });
  else if (path.endsWith('.json')) sortJson(content, found);
  else found.boxKeys.push(...rsaKeys(content));
}

function sortJson(content: Buffer, found: CopiedFiles): void {
  const json = JSON.parse(content.toString('utf8')) as { format?: unknown; leases?: unknown; private?: unknown };
  if (json.format === 'securegate-keyring') found.keyrings.push(json as Keyring);
  else if (json.leases !== undefined && json.private !== undefined) found.sealedByTpm.push(sealedLeases(json as KeptByTpm));
}

type KeptByTpm = Readonly<Record<'public' | 'private' | 'leases', string>> & Omit<SealedLeases, 'public' | 'private' | 'leases'>;

function sealedLeases({ counter, clock, resets, pcrs, ...sealed }: KeptByTpm): SealedLeases {
  const bytes = (name: 'public' | 'private' | 'leases'): Buffer => Buffer.from(sealed[name], 'base64url');
  return { counter, clock, resets, pcrs, public: bytes('public'), private: bytes('private'), leases: bytes('leases') };
}

/** Most files are none. */
function rsaKeys(content: Buffer): KeyObject[] {
  return [() => createPrivateKey({ key: content, format: 'der', type: 'pkcs8' }), () => createPrivateKey(content)].flatMap((read) => {
    try {
      const key = read();
      return key.asymmetricKeyType === 'rsa' ? [key] : [];
    } catch {
      return [];
    }
  });
}
