import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type Database from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { HeaderFile } from '../../../../../edge/vault/keys/header-file.ts';
import { shardKeyOf } from '../../../../../edge/vault/keys/header-keys.ts';
import { Keyring } from '../../../../../edge/vault/keys/keyring.ts';
import { createHeader, parseHeader } from '../../../../../edge/vault/keys/keyring-header.ts';
import { KEYS_SCHEMA } from '../../../../../edge/vault/keys/keys-schema.ts';
import { StandaloneKeySource } from '../../../../../edge/vault/keys/standalone-key-source.ts';
import { CustomerKeyStore } from '../../../../../edge/vault/store/customer-key-store.ts';
import { ErasureStore } from '../../../../../edge/vault/store/erasure-store.ts';
import { openEncryptedDatabase } from '../../../../../edge/vault/store/open-encrypted-database.ts';
import { sealEnvelope } from '../../../../../shared/crypto/seal-envelope.ts';
import { newId } from '../../../../../shared/ids/ids.ts';
import { tempFolder } from '../../../../helpers/temp-folder.ts';
import { testBox } from '../../../../helpers/vault.ts';

const scope = { org: 'acme', tenant: 'hall', box: newId('box') };
const refused = (code: string): unknown => expect.objectContaining({ code });

interface Opened {
  readonly keyring: Keyring;
  readonly database: Database.Database;
}

/** A keyring whose files lie in a folder, under a key in a file. */
async function testKeyring(): Promise<Opened & { reopened: () => Promise<Opened>; headerPath: string; keyDir: string }> {
  const box = await testBox();
  await mkdir(box.dataDir);
  const source = new StandaloneKeySource({ ...box, tenant: 'hall' });
  const tek = await source.open(await source.provision());
  const headerPath = join(box.dataDir, 'header.json');
  await writeFile(headerPath, createHeader(tek, 1, scope));
  const path = join(box.dataDir, 'keys.db');
  const key = randomBytes(32);
  const open = async (mode: 'create' | 'open'): Promise<Opened> => {
    const header = new HeaderFile(headerPath, scope, source);
    const shardKeys = await header.open();
    const database = openEncryptedDatabase(path, { key, schema: KEYS_SCHEMA, mode });
    const keyring = new Keyring(scope, header, shardKeys, database);
    onTestFinished(() => keyring.close());
    return { keyring, database };
  };
  const first = await open('create');
  const reopened = async (): Promise<Opened> => {
    first.keyring.close();
    return open('open');
  };
  return { ...first, reopened, headerPath, keyDir: box.keyDir };
}

/** Customers of one shard. */
function shardMates(count: number): string[] {
  const ids = [newId('customer')];
  while (ids.length < count) {
    const id = newId('customer');
    if (shardKeyOf(id) === shardKeyOf(ids[0] ?? '')) ids.push(id);
  }
  return ids;
}

describe('Keyring', () => {
  test('gives back the key that it made; nobody else gets it', async () => {
    const { keyring } = await testKeyring();
    const made = keyring.create('cus_one');
    const other = keyring.create('cus_two');
    expect(keyring.open('cus_one')).toEqual(made);
    expect(other.bytes.equals(made.bytes)).toBe(false);
    expect(keyring.open('cus_none')).toBeUndefined();
  });

  test('a key row put in the place of another customer does not open', async () => {
    const { keyring, database } = await testKeyring();
    // In the same shard, so that the same key would open it.
    let other = newId('customer');
    while (shardKeyOf(other) !== shardKeyOf('cus_one')) other = newId('customer');
    keyring.create('cus_one');
    database.prepare<[string]>('UPDATE customer_keys SET customer_id = ?').run(other);
    expect(() => keyring.open(other)).toThrow(refused('envelope_rejected'));
  });

  test('a key row that claims another version or id does not open', async () => {
    for (const change of ['UPDATE customer_keys SET version = 2', "UPDATE customer_keys SET id = 'cek_other'"]) {
      const { keyring, database } = await testKeyring();
      keyring.create('cus_one');
      database.prepare(change).run();
      expect(() => keyring.open('cus_one')).toThrow(refused('envelope_rejected'));
    }
  });

  test('sweeps the keys whose customer never came to be, and only those', async () => {
    const { keyring } = await testKeyring();
    keyring.create('cus_settled');
    keyring.settleLater('cus_settled');
    keyring.create('cus_stored');
    keyring.create('cus_orphan');
    // After a crash: cus_settled was settled together with the next key; of the other two only one has data.
    expect(keyring.recover((customerId) => customerId === 'cus_stored')).toBe(1);
    expect(keyring.open('cus_orphan')).toBeUndefined();
    expect(keyring.open('cus_stored')).toBeDefined();
    // Settled keys stay even when an older data file was put in place.
    expect(keyring.recover(() => false)).toBe(0);
    expect(keyring.open('cus_settled')).toBeDefined();
    expect(keyring.open('cus_stored')).toBeDefined();
  });

  test('makes another key for a customer who never came to be, and none beside the key of one who did', async () => {
    const { keyring } = await testKeyring();
    keyring.create('cus_one');
    const second = keyring.create('cus_one');
    expect(keyring.open('cus_one')).toEqual(second);
    keyring.settleLater('cus_one');
    expect(() => keyring.create('cus_one')).toThrow(RangeError);
    expect(keyring.open('cus_one')).toEqual(second);
  });

  test('drops a key for ever and remembers of whom, when and in which epoch', async () => {
    const { keyring, database } = await testKeyring();
    keyring.create('cus_one');
    keyring.settleLater('cus_one');
    keyring.create('cus_two');
    expect(keyring.erasures.all()).toEqual([]);
    await keyring.erase(['cus_one'], 1000);
    await keyring.erase(['cus_one'], 2000);
    expect([keyring.open('cus_one'), keyring.erasures.all()]).toEqual([undefined, ['cus_one']]);
    expect(keyring.erasures.find('cus_one')).toEqual({ position: 1, customer_id: 'cus_one', erased_at: 2000, epoch: 1 });
    expect(keyring.erasures.find('cus_two')).toBeUndefined();
    expect(keyring.open('cus_two')).toBeDefined();
    expect(database.prepare('SELECT count(*) FROM customer_keys').pluck().get()).toBe(1);
  });
});

describe('an erasure', () => {
  test('gives his shard and the snapshot another key, each of several shards one, and leaves the other shards alone', async () => {
    const { keyring, headerPath } = await testKeyring();
    const [erased = '', mate = '', alsoErased = ''] = shardMates(3);
    const elsewhere = newId('customer');
    for (const id of [erased, mate, alsoErased, elsewhere]) keyring.create(id);
    const made = [mate, elsewhere].map((id) => keyring.open(id));
    await keyring.erase([erased, alsoErased], 1000);
    expect([mate, elsewhere].map((id) => keyring.open(id))).toEqual(made);
    const { keys, previous } = parseHeader(await readFile(headerPath), scope);
    const renewed = Object.entries(keys).filter(([, { version }]) => version === 2);
    expect(renewed.map(([name]) => name).sort()).toEqual([shardKeyOf(mate), 'snapshot'].sort());
    expect(previous).toBeUndefined();
  });

  test('that was cut off between header and keys.db has not happened, and is brought to an end at the next start', async () => {
    const { keyring, database, reopened, headerPath } = await testKeyring();
    const [one = '', two = '', three = ''] = shardMates(3);
    for (const id of [one, two]) keyring.create(id);
    const made = [one, two].map((id) => keyring.open(id));
    database.exec("CREATE TRIGGER full BEFORE DELETE ON customer_keys BEGIN SELECT RAISE(FAIL, 'disk full'); END");
    await expect(keyring.erase([one], 1000)).rejects.toThrow(/disk full/);
    expect(Object.keys(parseHeader(await readFile(headerPath), scope).previous ?? {})).toEqual([shardKeyOf(one)]);
    // Neither the keys of before nor one that is made in between is lost.
    keyring.create(three);
    expect([one, two].map((id) => keyring.open(id))).toEqual(made);
    const again = await reopened();
    expect([one, two].map((id) => again.keyring.open(id))).toEqual(made);
    again.keyring.recover(() => true);
    expect([one, two].map((id) => again.keyring.open(id))).toEqual(made);
    expect(again.keyring.open(three)).toBeDefined();
    expect(parseHeader(await readFile(headerPath), scope).previous).toBeUndefined();
  });

  test('while a move is cut off counts for the next epoch, of which somebody may have a header already', async () => {
    const { keyring, keyDir } = await testKeyring();
    keyring.create('cus_one');
    const inTheWay = join(keyDir, 'hall.2.key');
    await mkdir(inTheWay);
    await expect(keyring.moveEpoch()).rejects.toThrow(refused('key_file_unsafe'));
    await keyring.erase(['cus_one'], 1000);
    expect([keyring.epoch, keyring.erasures.find('cus_one')?.epoch]).toEqual([1, 2]);
    await rmdir(inTheWay);
    await keyring.finish(2000);
    expect([keyring.epoch, keyring.erasures.hasOpen(keyring.epoch, 2000)]).toEqual([2, true]);
  });

  test('by an earlier version, which left the shard its key, is made good', async () => {
    const { keyring, database, headerPath } = await testKeyring();
    database.prepare<[string]>('INSERT INTO erased_customers (customer_id, erased_at, epoch) VALUES (?, 0, 0)').run('cus_one');
    await keyring.finish(3000);
    expect(keyring.erasures.find('cus_one')).toMatchObject({ erased_at: 3000, epoch: 1 });
    expect(parseHeader(await readFile(headerPath), scope).keys[shardKeyOf('cus_one')]?.version).toBe(2);
  });
});

test('a keyring of the second version keeps every key on its way to the newest', async () => {
  const path = join(await tempFolder(), 'keys.db');
  const key = randomBytes(32);
  const earlier = openEncryptedDatabase(path, { key, schema: KEYS_SCHEMA.slice(0, 2), mode: 'create' });
  const envelope = sealEnvelope(
    { id: 'shard-009', version: 1, holds: 'keys', bytes: randomBytes(32) },
    'customer-key',
    { org: 'acme', tenant: 'hall' },
    randomBytes(32),
  );
  earlier
    .prepare<[Buffer]>("INSERT INTO customer_keys (id, customer_id, version, settled, envelope) VALUES ('cek_1', 'cus_one', 1, 0, ?)")
    .run(envelope);
  earlier.exec("INSERT INTO erased_customers VALUES ('cus_two')");
  earlier.close();
  const database = openEncryptedDatabase(path, { key, schema: KEYS_SCHEMA, mode: 'open' });
  const store = new CustomerKeyStore(database);
  expect(store.find('shard-009', 'cus_one')).toEqual({ customer_id: 'cus_one', id: 'cek_1', version: 1, shard_version: 1, envelope });
  expect(store.unsettled()).toEqual(['cus_one']);
  expect(new ErasureStore(database).ofEpoch(0)).toEqual(['cus_two']);
  database.close();
});
