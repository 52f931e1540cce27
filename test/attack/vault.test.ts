import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { vaultFiles } from '../../edge/vault/store/vault-files.ts';
import type { Vault } from '../../edge/vault/vault.ts';
import { newId } from '../../shared/ids/ids.ts';
import { asInsider } from '../helpers/as-insider.ts';
import { type TestBox, testBox, testVault } from '../helpers/vault.ts';
import { consentFor, embeddingOf, face, guest, MODEL, pictureOf, sightingOf } from '../helpers/vault-guests.ts';

const refused = (code: string): unknown => expect.objectContaining({ code });
const filesOf = (box: TestBox, tenant = 'hall'): ReturnType<typeof vaultFiles> => vaultFiles(join(box.dataDir, 'tenants', tenant));
const keyOf = (box: TestBox, tenant = 'hall'): string => join(box.keyDir, `${tenant}.key`);

/** Customers that the vault names for the faces of these seeds. */
function named(vault: Vault, ...seeds: number[]): string[] {
  return vault.faces
    .search({ embeddings: seeds.map(embeddingOf), model: MODEL, limit: 32 })
    .flatMap((candidates) => candidates.filter(({ score }) => score > 0.9).map(({ customerId }) => customerId));
}

/** Makes a vault with guests 1..n and leaves it stopped. @returns their customer ids */
async function enrolled(box: TestBox, seeds: readonly number[], tenant = 'hall'): Promise<string[]> {
  const vault = testVault(box, tenant);
  await vault.start();
  const ids = seeds.map((seed) => vault.customers.enrol(guest(seed)).customerId);
  vault.stop();
  return ids;
}

let box: TestBox;
beforeEach(async () => {
  box = await testBox();
});

describe('a copy of the data folder alone', () => {
  test('opens nothing, neither without a key nor with another', async () => {
    await enrolled(box, [1]);
    const thief = { ...(await testBox()), box: box.box };
    await cp(box.dataDir, thief.dataDir, { recursive: true });
    await expect(testVault(thief).start()).rejects.toThrow(refused('key_file_missing'));
    await expect(readdir(thief.keyDir)).resolves.toEqual([]);
    await writeFile(keyOf(thief), Buffer.alloc(32, 7), { mode: 0o600 });
    await expect(testVault(thief).start()).rejects.toThrow(refused('key_rejected'));
  });

  test('holds no name, embedding or key in any of its files, while the vault runs and afterwards', async () => {
    const vault = testVault(box);
    await vault.start();
    const { customerId } = vault.customers.enrol({
      ...guest(1),
      profile: { name: 'Wilhelmina Findable', contact: 'findable@example.org' },
    });
    vault.sightings.record(sightingOf(customerId));
    const embedding = embeddingOf(1);
    const bytes = Buffer.from(embedding.buffer);
    const needles = [
      ...[bytes, await readFile(keyOf(box))].flatMap((secret) => [
        secret.subarray(0, 24),
        secret.toString('hex').slice(0, 40),
        secret.toString('base64').slice(0, 32),
      ]),
      'Wilhelmina',
      'findable@',
      'recognition at the entrance',
      'picture 1, findable',
      'findable too',
      'findable-password',
    ];
    const leaks = async (): Promise<string[]> => {
      const entries = await readdir(box.dataDir, { recursive: true, withFileTypes: true });
      const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
      const contents = await Promise.all(files.map(async (file) => [file, await readFile(file)] as const));
      return contents.filter(([, content]) => needles.some((needle) => content.includes(needle))).map(([file]) => file);
    };
    expect(await leaks()).toEqual([]);
    vault.stop();
    expect(await leaks()).toEqual([]);
    // The search itself must be able to find something.
    const canary = join(filesOf(box).folder, 'canary');
    await writeFile(canary, Buffer.concat([Buffer.alloc(1000), bytes]));
    expect(await leaks()).toEqual([canary]);
  });
});

describe('files of another vault', () => {
  beforeEach(async () => {
    await enrolled(box, [1], 'hall');
    await enrolled(box, [2], 'club');
  });

  test("another tenant's whole folder is refused, with either key", async () => {
    await rm(filesOf(box).folder, { recursive: true });
    await cp(filesOf(box, 'club').folder, filesOf(box).folder, { recursive: true });
    await expect(testVault(box).start()).rejects.toThrow(refused('key_rejected'));
    await cp(keyOf(box, 'club'), keyOf(box));
    await expect(testVault(box).start()).rejects.toThrow(refused('key_rejected'));
  });

  test.each([
    ['header', 'key_rejected'],
    ['keysDb', 'vault_corrupt'],
    ['vaultDb', 'vault_corrupt'],
  ] as const)("another tenant's %s is refused with %s", async (file, code) => {
    await cp(filesOf(box, 'club')[file], filesOf(box)[file]);
    await expect(testVault(box).start()).rejects.toThrow(refused(code));
  });

  test("another tenant's key is refused, and the other tenant's vault opens all the same", async () => {
    await cp(keyOf(box, 'club'), keyOf(box));
    await expect(testVault(box).start()).rejects.toThrow(refused('key_rejected'));
    const club = testVault(box, 'club');
    await club.start();
    expect(named(club, 1, 2)).toHaveLength(1);
  });

  test('the same tenant on another box is refused', async () => {
    await expect(testVault({ ...box, box: newId('box') }).start()).rejects.toThrow(refused('key_rejected'));
  });
});

/** Of the databases. */
const PAGE_BYTES = 16_384;

describe('damaged files', () => {
  test.each(['header', 'keysDb', 'vaultDb'] as const)('a flipped bit anywhere in %s: refused, or nothing is different', async (file) => {
    const ids = await enrolled(box, [1, 2]);
    const path = filesOf(box)[file];
    const original = await readFile(path);
    const refusals = [];
    // Twice in each page of a database, so that those which are read come up as often in every run.
    const steps = Math.max(25, (2 * original.length) / PAGE_BYTES);
    for (let step = 0; step < steps; step += 1) {
      const damaged = Buffer.from(original);
      const at = Math.floor(((step + Math.random()) / steps) * original.length);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (step % 8));
      await writeFile(path, damaged);
      const vault = testVault(box);
      try {
        await vault.start();
        expect(named(vault, 1, 2), `byte ${at}`).toEqual(ids);
        for (const id of ids) vault.customers.get({ customerId: id });
      } catch (error) {
        refusals.push(at);
        expect(error, `byte ${at}`).toHaveProperty('code', expect.stringMatching(/^(vault_corrupt|key_rejected)$/));
      } finally {
        vault.stop();
      }
    }
    expect(refusals.length).toBeGreaterThan(8);
  });

  test.each(['header', 'keysDb', 'vaultDb'] as const)('a missing or emptied %s is damage, not a new vault', async (file) => {
    await enrolled(box, [1]);
    const path = filesOf(box)[file];
    await rename(path, `${path}.away`);
    await expect(testVault(box).start()).rejects.toThrow(refused('vault_corrupt'));
    await writeFile(path, '');
    await expect(testVault(box).start()).rejects.toThrow(refused('vault_corrupt'));
    await rename(`${path}.away`, path);
    await testVault(box).start();
  });

  test('what a first start left behind that was cut off does not matter', async () => {
    const staging = `${filesOf(box).folder}.new`;
    await mkdir(dirname(vaultFiles(staging).header), { recursive: true });
    await writeFile(vaultFiles(staging).header, '{"half":');
    await enrolled(box, [1]);
    await expect(readdir(dirname(staging))).resolves.toEqual(['hall', 'hall.lock']);
  });
});

describe('somebody who has the file keys and changes rows', () => {
  let first: string;
  let second: string;
  let third: string;
  beforeEach(async () => {
    [first = '', second = '', third = ''] = await enrolled(box, [1, 2, 3]);
  });

  async function reopened(): Promise<Vault> {
    const vault = testVault(box);
    await vault.start();
    return vault;
  }

  test('two faces exchanged: neither is a candidate any more, the others go on', async () => {
    await asInsider(box, 'file-vault', (database) => {
      const select = database.prepare<[string], { envelope: Buffer }>('SELECT envelope FROM faces WHERE customer_id = ?');
      const update = database.prepare<[Buffer, string]>('UPDATE faces SET envelope = ? WHERE customer_id = ?');
      const [one, two] = [select.get(first), select.get(second)];
      if (!one || !two) throw new Error('the faces to exchange are not there');
      update.run(two.envelope, first);
      update.run(one.envelope, second);
    });
    const vault = await reopened();
    expect(named(vault, 1, 2, 3)).toEqual([third]);
    expect([vault.faceCount, vault.rejected]).toEqual([1, 2]);
    expect(() => vault.customers.get({ customerId: first })).toThrow(refused('envelope_rejected'));
    expect(vault.customers.get({ customerId: third }).name).toBe('Guest Number 3');
  });

  test('a face given to another customer is nobody’s', async () => {
    await asInsider(box, 'file-vault', (database) => {
      database.prepare<[string, string]>('UPDATE faces SET customer_id = ? WHERE customer_id = ?').run(second, first);
    });
    const vault = await reopened();
    expect(named(vault, 1)).toEqual([]);
    expect(named(vault, 2)).toEqual([second]);
  });

  test('a face claimed to be of another model is nobody’s', async () => {
    await asInsider(box, 'file-vault', (database) => {
      database.prepare<[string]>("UPDATE faces SET model = 'other' WHERE customer_id = ?").run(first);
    });
    const vault = await reopened();
    expect(vault.faces.search({ embeddings: [embeddingOf(1)], model: 'other', limit: 3 })).toEqual([[]]);
    expect(named(vault, 1)).toEqual([]);
  });

  test('the consent of another customer is no consent', async () => {
    await asInsider(box, 'file-vault', (database) => {
      database.prepare<[string]>('DELETE FROM consents WHERE customer_id = ?').run(first);
    });
    const without = await reopened();
    expect(named(without, 1)).toEqual([]);
    expect(() => without.faces.add({ customerId: first, face: { embedding: embeddingOf(9), model: MODEL, quality: 1 } })).toThrow(
      refused('consent_missing'),
    );
    without.stop();
    await asInsider(box, 'file-vault', (database) => {
      database.prepare<[string, string]>('UPDATE consents SET customer_id = ? WHERE customer_id = ?').run(first, second);
    });
    const borrowed = await reopened();
    expect(named(borrowed, 1, 2, 3)).toEqual([third]);
  });

  test('an older consent does not come back by changing the order of rows', async () => {
    let now = Date.now();
    const vault = testVault(box, 'hall', () => now);
    await vault.start();
    vault.customers.recordConsent({ customerId: first, consent: consentFor(1000, now) });
    vault.stop();
    await asInsider(box, 'file-vault', (database) => {
      const rows = database
        .prepare<[string], { id: string; envelope: Buffer }>('SELECT id, envelope FROM consents WHERE customer_id = ?')
        .all(first);
      database.prepare<[string]>('DELETE FROM consents WHERE customer_id = ?').run(first);
      const insert = database.prepare<[string, string, Buffer]>('INSERT INTO consents (id, customer_id, envelope) VALUES (?, ?, ?)');
      for (const { id, envelope } of rows.reverse()) insert.run(id, first, envelope);
    });
    now += 1000;
    const again = testVault(box, 'hall', () => now);
    await again.start();
    expect(named(again, 1)).toEqual([]);
  });

  test('a withdrawn consent does not come back, whichever rows are taken away', async () => {
    const vault = await reopened();
    vault.customers.recordConsent({ customerId: first, consent: consentFor(7_200_000) });
    vault.customers.withdrawConsent({ customerId: first });
    vault.stop();
    await asInsider(box, 'file-vault', (database) => {
      const rows = database.prepare<[string], string>('SELECT id FROM consents WHERE customer_id = ?').pluck().all(first);
      expect(rows).toHaveLength(2);
      // The newest has the later rowid.
      database.prepare('DELETE FROM consents WHERE rowid = (SELECT max(rowid) FROM consents)').run();
    });
    const again = await reopened();
    expect(named(again, 1, 2, 3)).toEqual([second, third]);
    expect(again.customers.get({ customerId: first }).consentState).toBe('withdrawn');
  });

  test('a sighting, a picture and a record of another customer open for nobody, and the lists go on', async () => {
    const vault = await reopened();
    const pictured = (seed: number): string =>
      vault.faces.add({ customerId: seed === 4 ? first : second, face: { ...face(seed), picture: pictureOf(seed) } }).faceId;
    const [mine, his] = [pictured(4), pictured(5)];
    for (const customerId of [first, second, third]) {
      vault.sightings.record(sightingOf(customerId));
      vault.records.add({ kind: 'attendees', json: `"${customerId}"`, customerId });
    }
    vault.stop();
    await asInsider(box, 'file-vault', (database) => {
      const swap = (read: string, write: string, one: string, two: string): void => {
        const select = database.prepare<[string], { bytes: Buffer }>(read);
        const update = database.prepare<[Buffer | undefined, string]>(write);
        const [a, b] = [select.get(one)?.bytes, select.get(two)?.bytes];
        update.run(b, one);
        update.run(a, two);
      };
      swap(
        'SELECT content AS bytes FROM sightings WHERE customer_id = ?',
        'UPDATE sightings SET content = ? WHERE customer_id = ?',
        first,
        second,
      );
      swap(
        'SELECT content AS bytes FROM records WHERE customer_id = ?',
        'UPDATE records SET content = ? WHERE customer_id = ?',
        first,
        second,
      );
      swap('SELECT picture AS bytes FROM faces WHERE id = ?', 'UPDATE faces SET picture = ? WHERE id = ?', mine, his);
    });
    const again = await reopened();
    expect(again.sightings.list({ limit: 10 }).items.map(({ customerId }) => customerId)).toEqual([third]);
    expect(again.records.list({ kind: 'attendees', limit: 10 }).items.map(({ json }) => json)).toEqual([`"${third}"`]);
    expect(() => again.faces.picture({ customerId: first, faceId: mine })).toThrow(refused('envelope_rejected'));
    expect(again.rejected).toBe(4);
  });

  test('a sighting put under another customer, or under nobody, is no sighting; nor is one that somebody wrote himself', async () => {
    const vault = await reopened();
    const [moved, orphaned, forged] = [sightingOf(first), sightingOf(first), sightingOf(null, 'hall', 'unknown')];
    for (const sighting of [moved, orphaned, forged]) vault.sightings.record(sighting);
    vault.stop();
    await asInsider(box, 'file-vault', (database) => {
      const give = database.prepare<[string | null, string]>('UPDATE sightings SET customer_id = ? WHERE id = ?');
      give.run(second, moved.id);
      give.run(null, orphaned.id);
      const claim = Buffer.from(JSON.stringify({ ...forged, outcome: 'person', customerId: third }));
      database.prepare<[Buffer, string]>('UPDATE sightings SET content = ? WHERE id = ?').run(claim, forged.id);
    });
    const again = await reopened();
    expect(again.sightings.list({ limit: 10 })).toEqual({ items: [], next: null });
    expect(again.rejected).toBe(3);
  });

  test('a record about a customer opens neither as another one nor as one of another kind', async () => {
    const vault = await reopened();
    const [guestList, blackList] = ['attendees', 'watchlists'].map(
      (kind) => vault.records.add({ kind, json: `"${kind}"`, customerId: first }).id,
    );
    vault.stop();
    await asInsider(box, 'file-vault', (database) => {
      database.prepare<[string]>("UPDATE records SET kind = 'watchlists' WHERE id = ?").run(guestList ?? '');
      database
        .prepare<[string]>('UPDATE records SET customer_id = (SELECT id FROM customers WHERE position = 2) WHERE id = ?')
        .run(blackList ?? '');
    });
    const again = await reopened();
    expect(again.records.list({ kind: 'watchlists', limit: 10 })).toEqual({ items: [], next: null });
    for (const id of [guestList, blackList])
      expect(() => again.records.get({ kind: 'watchlists', id: id ?? '' })).toThrow(refused('envelope_rejected'));
  });

  test('names exchanged open for nobody', async () => {
    await asInsider(box, 'file-vault', (database) => {
      const select = database.prepare<[string], { profile: Buffer }>('SELECT profile FROM customers WHERE id = ?');
      const profile = select.get(second)?.profile;
      if (profile) database.prepare<[Buffer, string]>('UPDATE customers SET profile = ? WHERE id = ?').run(profile, first);
    });
    const vault = await reopened();
    expect(() => vault.customers.get({ customerId: first })).toThrow(refused('envelope_rejected'));
    expect(vault.customers.list({ limit: 200 }).items.map(({ customerId }) => customerId)).toEqual(expect.not.arrayContaining([first]));
  });
});

test('old data with the current keyring: who was erased stays erased', async () => {
  const [erased = '', kept = ''] = await enrolled(box, [1, 2]);
  await asInsider(box, 'file-keys', (database) => {
    database.prepare<[string]>('DELETE FROM customer_keys WHERE customer_id = ?').run(erased);
  });
  const vault = testVault(box);
  await vault.start();
  expect(named(vault, 1, 2)).toEqual([kept]);
  expect(vault.customers.list({ limit: 200 }).items.map(({ customerId }) => customerId)).toEqual([kept]);
  expect(() => vault.customers.get({ customerId: erased })).toThrow(refused('customer_not_found'));
});

describe('a removed customer', () => {
  const tables = ['records', 'sightings', 'faces', 'consents', 'customers'] as const;
  const COUNT = {
    records: 'SELECT count(*) FROM records WHERE customer_id = ?',
    sightings: 'SELECT count(*) FROM sightings WHERE customer_id = ?',
    faces: 'SELECT count(*) FROM faces WHERE customer_id = ?',
    consents: 'SELECT count(*) FROM consents WHERE customer_id = ?',
    customers: 'SELECT count(*) FROM customers WHERE id = ?',
  };

  /** Rows and keys of a customer in the files of a box. */
  async function rowsOf(customerId: string, of = box): Promise<number[]> {
    const counts: number[] = [];
    await asInsider(of, 'file-vault', (database) => {
      for (const table of tables) counts.push(Number(database.prepare<[string]>(COUNT[table]).pluck().get(customerId)));
    });
    await asInsider(of, 'file-keys', (database) => {
      counts.push(Number(database.prepare<[string]>('SELECT count(*) FROM customer_keys WHERE customer_id = ?').pluck().get(customerId)));
    });
    return counts;
  }

  async function withHistory(): Promise<{ vault: Vault; customerId: string }> {
    const vault = testVault(box);
    await vault.start();
    const { customerId } = vault.customers.enrol({ ...guest(1), faces: [{ ...face(1), picture: pictureOf(1) }] });
    vault.customers.recordConsent({ customerId, consent: consentFor() });
    vault.sightings.record(sightingOf(customerId));
    vault.records.add({ kind: 'attendees', json: '{}', customerId });
    return { vault, customerId };
  }

  test('leaves no row and no key, not even for a thief who cuts the power at once and throws the logs away', async () => {
    const { vault: earlier, customerId } = await withHistory();
    // From now on everything is in the databases themselves, not in their logs.
    earlier.stop();
    const vault = testVault(box);
    await vault.start();
    vault.sightings.record(sightingOf(customerId));
    const before = { ...(await testBox()), box: box.box };
    await cp(box.dataDir, before.dataDir, { recursive: true });
    await cp(keyOf(box), keyOf(before));
    await vault.customers.remove({ customerId });
    // A log that is cut short would bring back the state at its end.
    for (const path of [filesOf(box).keysDb, filesOf(box).vaultDb]) expect(await readFile(`${path}-wal`)).toHaveLength(0);
    const thief = { ...(await testBox()), box: box.box };
    await cp(box.dataDir, thief.dataDir, { recursive: true });
    await cp(keyOf(box), keyOf(thief));
    for (const log of [`${filesOf(thief).keysDb}-wal`, `${filesOf(thief).vaultDb}-wal`]) await rm(log, { force: true });
    expect(await rowsOf(customerId, thief)).toEqual([0, 0, 0, 0, 0, 0]);
    // What was copied before the removal had everything, so the count can find something.
    expect(await rowsOf(customerId, before)).toEqual([1, 2, 1, 2, 1, 1]);
  });

  test('of whom a crash left the rows is removed at the next start, and so is one who comes back with an older data file', async () => {
    const { vault, customerId } = await withHistory();
    const kept = vault.customers.enrol(guest(2)).customerId;
    vault.stop();
    const older = await readFile(filesOf(box).vaultDb);
    await asInsider(box, 'file-keys', (database) => {
      // The first half of a removal: see Keyring.erase.
      database.prepare<[string]>('DELETE FROM customer_keys WHERE customer_id = ?').run(customerId);
      database.prepare<[string]>('INSERT INTO erased_customers (customer_id, erased_at, epoch) VALUES (?, 1, 1)').run(customerId);
    });
    for (const restored of [false, true]) {
      if (restored) await writeFile(filesOf(box).vaultDb, older);
      expect(await rowsOf(customerId)).toEqual([1, 1, 1, 2, 1, 0]);
      const again = testVault(box);
      await again.start();
      expect([named(again, 1, 2), again.rejected]).toEqual([[kept], 0]);
      again.stop();
      expect(await rowsOf(customerId)).toEqual([0, 0, 0, 0, 0, 0]);
    }
  });

  test('can be one whose records do not open any more', async () => {
    const [first = ''] = await enrolled(box, [1]);
    await asInsider(box, 'file-vault', (database) => database.prepare("UPDATE customers SET profile = x'00'").run());
    await asInsider(box, 'file-keys', (database) => database.prepare("UPDATE customer_keys SET envelope = x'00'").run());
    const vault = testVault(box);
    await vault.start();
    await vault.customers.remove({ customerId: first });
    vault.stop();
    expect(await rowsOf(first)).toEqual([0, 0, 0, 0, 0, 0]);
  });
});

test('a customer without a key who was never erased keeps his rows: the right keyring may come back', async () => {
  const [first = ''] = await enrolled(box, [1]);
  const keyring = await readFile(filesOf(box).keysDb);
  await asInsider(box, 'file-keys', (database) => database.prepare('DELETE FROM customer_keys').run());
  const vault = testVault(box);
  await vault.start();
  expect(vault.customers.list({ limit: 10 }).items).toEqual([]);
  vault.stop();
  await writeFile(filesOf(box).keysDb, keyring);
  const again = testVault(box);
  await again.start();
  expect(named(again, 1)).toEqual([first]);
});

test('another tenant’s ids lead nowhere', async () => {
  const [hall, club] = [testVault(box, 'hall'), testVault(box, 'club')];
  await Promise.all([hall.start(), club.start()]);
  const { customerId, faceIds } = hall.customers.enrol({ ...guest(1), faces: [{ ...face(1), picture: pictureOf(1) }] });
  const sighting = sightingOf(customerId);
  hall.sightings.record(sighting);
  const record = hall.records.add({ kind: 'rooms', json: '{}' });
  const faceId = faceIds[0] ?? '';
  const attempts = [
    () => club.customers.get({ customerId }),
    () => club.customers.changeProfile({ customerId, change: { name: 'Mine' } }),
    () => club.customers.recordConsent({ customerId, consent: consentFor() }),
    () => club.customers.withdrawConsent({ customerId }),
    () => club.faces.remove({ customerId, faceId }),
    () => club.faces.picture({ customerId, faceId }),
    () => club.faces.verify({ customerId, embedding: embeddingOf(1), model: MODEL }),
    () => club.sightings.record({ ...sighting, tenant: 'club' }),
    () => club.records.add({ kind: 'attendees', json: '{}', customerId }),
  ];
  for (const attempt of attempts) expect(attempt).toThrow(refused('customer_not_found'));
  await expect(club.customers.remove({ customerId })).rejects.toThrow(refused('customer_not_found'));
  expect(() => club.sightings.record(sighting)).toThrow(refused('invalid_request'));
  expect(() => club.records.get({ kind: 'rooms', id: record.id })).toThrow(refused('record_not_found'));
  expect([
    club.customers.list({ limit: 9 }).items,
    club.sightings.list({ limit: 9 }).items,
    club.records.list({ kind: 'rooms', limit: 9 }).items,
  ]).toEqual([[], [], []]);
  expect(hall.customers.get({ customerId })).toMatchObject({ name: 'Guest Number 1', faces: 1, version: 1 });
});
