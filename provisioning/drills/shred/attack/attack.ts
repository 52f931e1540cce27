import { constants, type KeyObject, privateDecrypt } from 'node:crypto';
import Database from 'better-sqlite3';
import type { Cell } from '../../../../cloud/kms/hsm/hsm.ts';
import type { EnvelopeContext } from '../../../../shared/crypto/envelope.ts';
import { copiedFiles, type Keyring } from './copied-files.ts';
import { isEnvelope, openSealed, type Sealed, type Unsealed } from './open-sealed.ts';
import { openWithKey } from './open-with-key.ts';
import { type FoundRows, readRows } from './read-rows.ts';
import { type SealedLeases, type TpmRefusals, TpmUnsealing } from './unseal-by-tpm.ts';
import { unwrapInHsm } from './unwrap-in-hsm.ts';

const KEY_BYTES = 32;
/** In a bundle of leases: epoch (32 bits) and length of the token (16 bits) before each key. */
const LEASE_HEAD_BYTES = 6;
/** In a face: when it was enrolled, and its quality. */
const FACE_HEAD_BYTES = 12;

export interface AttackOptions {
  /** What was copied. It is written to: give it a copy of the copies. */
  readonly folders: readonly string[];
  /** Configuration of the KMS, whose HSM lives; without it there is no HSM to ask. */
  readonly kmsConfig?: string;
  /** Where the living TPM of a box is; without it there is none to ask. */
  readonly tcti?: string;
}

/** What came out about one customer of a tenant. */
export interface ReadCustomer {
  readonly id: string;
  name: string | null;
  faces: number;
  /** Consents, sightings, pictures and records. */
  others: number;
}

export interface ReadTenant {
  readonly org: string;
  readonly tenant: string;
  /** Keys of its keyrings that opened. */
  keys: number;
  databases: number;
  readonly customers: ReadCustomer[];
}

/** What an attack came to. */
export interface Loot {
  readonly boxKeys: number;
  readonly wrappedKeys: number;
  /** Tenant keys that the HSM gave out, or that were kept with a lease. */
  readonly tenantKeys: number;
  /** Why the HSM gave out no more. */
  readonly refused: Readonly<Record<string, number>>;
  /** Files of leases whose key only a TPM gives out. */
  readonly sealedByTpm: number;
  /** For how many of them the living TPM gave it out, and what was in the way of the others; null where no TPM was asked. */
  readonly tpm: { readonly opened: number; readonly refused: TpmRefusals } | null;
  /** All keys that were tried. */
  readonly keys: number;
  readonly envelopes: number;
  readonly opened: number;
  readonly databasesClosed: number;
  readonly tenants: readonly ReadTenant[];
}

/**
 * Tries every key that is found anywhere on everything that is sealed, and what comes out of it again, until nothing more opens. It knows how
 * the product writes its files and nothing of leases: neither when they end nor whose they are.
 */
export async function attack({ folders, kmsConfig, tcti }: AttackOptions): Promise<Loot> {
  const files = copiedFiles(folders);
  const vault = new Break(files.keyrings);
  const tpm = tcti === undefined ? undefined : new TpmUnsealing(tcti);
  // First of all: the TPM's own clock goes on.
  await tpm?.tryAll(files.sealedByTpm);
  for (const { key, sealed } of tpm?.keys ?? []) vault.takeUnsealed(key, sealed);
  const plain = files.databases.map(readAndClose);
  for (const rows of plain) vault.takeRows(rows);
  const { teks, refused } =
    kmsConfig === undefined
      ? { teks: [], refused: {} }
      : await unwrapInHsm(kmsConfig, unique(plain.flatMap(({ wrapped }) => wrapped)), cellsOf(plain), uniqueKeys(files.boxKeys));
  for (const { wrapped, envelope } of files.keptLeases) vault.takeLease(files.boxKeys, wrapped, envelope);
  for (const key of [...teks, ...files.keyFiles]) vault.takeKey(key);
  const closed = vault.open(files.encryptedDatabases);
  return {
    boxKeys: uniqueKeys(files.boxKeys).length,
    wrappedKeys: unique(plain.flatMap(({ wrapped }) => wrapped)).length,
    tenantKeys: unique(teks).length + vault.leaseKeys,
    refused,
    sealedByTpm: files.sealedByTpm.length,
    tpm: tpm === undefined ? null : { opened: tpm.keys.length, refused: tpm.refused },
    ...vault.counts,
    databasesClosed: closed,
    tenants: vault.tenants,
  };
}

/** The keys and what is sealed, each against each. */
class Break {
  readonly #keyrings: readonly Keyring[];
  readonly #keys = new Map<string, Buffer>();
  /** What is still shut, and how many of the keys were tried on it. */
  readonly #sealed = new Map<string, Sealed & { tried: number }>();
  readonly #tenants = new Map<string, ReadTenant>();
  #opened = 0;
  leaseKeys = 0;

  constructor(keyrings: readonly Keyring[]) {
    this.#keyrings = keyrings;
    for (const { org, tenant, box, keys, previous = {} } of keyrings) {
      for (const [name, { version, envelope }] of [...Object.entries(keys), ...Object.entries(previous)]) {
        this.#take(Buffer.from(envelope, 'base64'), [{ org, tenant, record: `${box}/${name}/${version}` }]);
      }
    }
  }

  get counts(): Pick<Loot, 'keys' | 'envelopes' | 'opened'> {
    return { keys: this.#keys.size, envelopes: this.#sealed.size + this.#opened, opened: this.#opened };
  }

  get tenants(): ReadTenant[] {
    return [...this.#tenants.values()];
  }

  takeKey(bytes: Buffer): void {
    this.#keys.set(bytes.toString('hex'), bytes);
  }

  takeRows({ envelopes }: FoundRows): void {
    for (const { envelope, row } of envelopes) this.#take(envelope, this.#contextsOf(row));
  }

  takeLease(boxKeys: readonly KeyObject[], wrapped: Buffer, envelope: Buffer): void {
    this.#take(
      envelope,
      this.#keyrings.map(({ org, tenant, box }) => ({ org, tenant, record: box })),
    );
    for (const key of boxKeys) {
      try {
        this.takeKey(privateDecrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }, wrapped));
      } catch {
        // Of another box.
      }
    }
  }

  takeUnsealed(key: Buffer, { counter, leases }: SealedLeases): void {
    this.takeKey(key);
    this.#take(
      leases,
      this.#keyrings.map(({ org, tenant, box }) => ({ org, tenant, record: `${box}/${counter}` })),
    );
  }

  /** Tries until nothing more opens. @returns how many databases stayed closed */
  open(databases: readonly string[]): number {
    const closed = new Set(databases);
    for (let tried = 0; tried < this.#keys.size; ) {
      const fresh = [...this.#keys.values()].slice(tried);
      tried = this.#keys.size;
      for (const path of closed) if (fresh.some((key) => this.#openDatabase(path, key))) closed.delete(path);
      for (const [id, sealed] of this.#sealed) if (this.#openEnvelope(sealed)) this.#sealed.delete(id);
    }
    return closed.size;
  }

  #openEnvelope(sealed: Sealed & { tried: number }): boolean {
    const untried = [...this.#keys.values()].slice(sealed.tried);
    sealed.tried += untried.length;
    for (const key of untried) {
      const unsealed = openSealed(key, sealed);
      if (unsealed === undefined) continue;
      this.#opened += 1;
      this.#read(unsealed);
      return true;
    }
    return false;
  }

  #openDatabase(path: string, key: Buffer): boolean {
    const database = openWithKey(path, key);
    if (database === undefined) return false;
    try {
      this.takeRows(readRows(database));
    } finally {
      database.close();
    }
    const keyring = this.#keyrings.find(({ tenant }) => path.split('/').includes(tenant));
    if (keyring) this.#tenant(keyring).databases += 1;
    return true;
  }

  #take(envelope: Buffer, contexts: readonly EnvelopeContext[]): void {
    if (!isEnvelope(envelope)) return;
    const id = `${envelope.toString('base64')} ${JSON.stringify(contexts)}`;
    if (!this.#sealed.has(id)) this.#sealed.set(id, { envelope, contexts, tried: 0 });
  }

  #read({ purpose, context, plaintext }: Unsealed): void {
    switch (purpose) {
      case 'header-key':
        this.#tenant(context).keys += 1;
        this.takeKey(plaintext);
        break;
      case 'customer-key':
        this.#customer(context);
        this.takeKey(plaintext);
        break;
      case 'held-leases':
        this.#readLeases(plaintext);
        break;
      case 'profile':
        this.#customer(context).name = (JSON.parse(plaintext.toString('utf8')) as { name: string }).name;
        break;
      case 'face':
        if (isEmbedding(plaintext.subarray(FACE_HEAD_BYTES))) this.#customer(context).faces += 1;
        break;
      default:
        if (context.customer !== undefined) this.#customer(context).others += 1;
    }
  }

  #readLeases(plaintext: Buffer): void {
    for (let at = 0; at < plaintext.length; ) {
      const length = plaintext.readUInt16BE(at + 4);
      at += LEASE_HEAD_BYTES;
      this.takeKey(Buffer.from(plaintext.subarray(at, at + KEY_BYTES)));
      this.leaseKeys += 1;
      at += KEY_BYTES + length;
    }
  }

  #tenant({ org, tenant }: Pick<EnvelopeContext, 'org' | 'tenant'>): ReadTenant {
    const id = `${org}/${tenant}`;
    const read = this.#tenants.get(id) ?? { org, tenant, keys: 0, databases: 0, customers: [] };
    this.#tenants.set(id, read);
    return read;
  }

  #customer(context: EnvelopeContext): ReadCustomer {
    const { customers } = this.#tenant(context);
    const id = context.customer ?? '';
    const known = customers.find((one) => one.id === id);
    if (known) return known;
    const read: ReadCustomer = { id, name: null, faces: 0, others: 0 };
    customers.push(read);
    return read;
  }

  /** Whatever an envelope can belong to by the ids of its row, in every tenant that was heard of. */
  #contextsOf({ id, customer_id, kind, version, model }: Readonly<Record<string, unknown>>): EnvelopeContext[] {
    const scopes = new Map(this.#keyrings.map(({ org, tenant }) => [`${org}/${tenant}`, { org, tenant }]));
    const customers = [customer_id, id].filter((one) => typeof one === 'string').map((customer) => ({ customer }));
    const records = [id, `${id}/${version}`, `${kind}/${id}`].map((record) => ({ record: String(record) }));
    const models = typeof model === 'string' ? [{ model }] : [];
    return [...scopes.values()].flatMap((scope) =>
      [{}, ...customers].flatMap((customer) =>
        records.flatMap((record) => [{}, ...models].map((one) => ({ ...scope, ...customer, ...record, ...one }))),
      ),
    );
  }
}

/** Of a face that was normalised: all of it is numbers, and it is as long as one. */
function isEmbedding(bytes: Buffer): boolean {
  let square = 0;
  for (let at = 0; at + 4 <= bytes.length; at += 4) square += bytes.readFloatLE(at) ** 2;
  return Math.abs(square - 1) < 1e-3;
}

function readAndClose(path: string): FoundRows {
  const database = new Database(path, { fileMustExist: true });
  try {
    return readRows(database);
  } finally {
    database.close();
  }
}

function cellsOf(plain: readonly FoundRows[]): Cell[] {
  return [
    ...new Map(plain.flatMap(({ cells }) => cells).map((cell) => [JSON.stringify([cell.org, cell.tenant, cell.epoch]), cell])).values(),
  ];
}

function unique(all: readonly Buffer[]): Buffer[] {
  return [...new Map(all.map((bytes) => [bytes.toString('hex'), bytes])).values()];
}

function uniqueKeys(keys: readonly KeyObject[]): KeyObject[] {
  return keys.filter((key, index) => keys.findIndex((one) => one.equals(key)) === index);
}
