import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type Database from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { shardKeyOf } from '../../../../../edge/vault/keys/header-keys.ts';
import { Keyring } from '../../../../../edge/vault/keys/keyring.ts';
import { createHeader, openHeader, parseHeader } from '../../../../../edge/vault/keys/keyring-header.ts';
import { KEYS_SCHEMA } from '../../../../../edge/vault/keys/keys-schema.ts';
import { openEncryptedDatabase } from '../../../../../edge/vault/store/open-encrypted-database.ts';
import { newId } from '../../../../../shared/ids/ids.ts';
import { tempFolder } from '../../../../helpers/temp-folder.ts';

const scope = { org: 'acme', tenant: 'hall', box: newId('box') };

async function testKeyring(): Promise<{ keyring: Keyring; database: Database.Database }> {
  const tek = randomBytes(32);
  const database = openEncryptedDatabase(join(await tempFolder(), 'keys.db'), {
    key: randomBytes(32),
    schema: KEYS_SCHEMA,
    mode: 'create',
  });
  const keyring = new Keyring(scope, openHeader(parseHeader(createHeader(tek, 1, scope), scope), tek, scope), database);
  onTestFinished(() => keyring.close());
  return { keyring, database };
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
    expect(() => keyring.open(other)).toThrow(expect.objectContaining({ code: 'envelope_rejected' }));
  });

  test('a key row that claims another version or id does not open', async () => {
    for (const change of ['UPDATE customer_keys SET version = 2', "UPDATE customer_keys SET id = 'cek_other'"]) {
      const { keyring, database } = await testKeyring();
      keyring.create('cus_one');
      database.prepare(change).run();
      expect(() => keyring.open('cus_one')).toThrow(expect.objectContaining({ code: 'envelope_rejected' }));
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

  test('drops a key for ever and remembers for whom', async () => {
    const { keyring, database } = await testKeyring();
    keyring.create('cus_one');
    keyring.settleLater('cus_one');
    keyring.create('cus_two');
    expect(keyring.erased()).toEqual([]);
    keyring.erase('cus_one');
    keyring.erase('cus_one');
    expect([keyring.open('cus_one'), keyring.erased()]).toEqual([undefined, ['cus_one']]);
    expect(['cus_one', 'cus_two'].map((customerId) => keyring.wasErased(customerId))).toEqual([true, false]);
    expect(keyring.open('cus_two')).toBeDefined();
    expect(database.prepare('SELECT count(*) FROM customer_keys').pluck().get()).toBe(1);
  });
});
