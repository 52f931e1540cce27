import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import type Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HeaderFile } from '../../edge/vault/keys/header-file.ts';
import { shardKeyOf } from '../../edge/vault/keys/header-keys.ts';
import { Keyring, type ShardKeys } from '../../edge/vault/keys/keyring.ts';
import { KEYS_SCHEMA } from '../../edge/vault/keys/keys-schema.ts';
import { StandaloneKeySource } from '../../edge/vault/keys/standalone-key-source.ts';
import { openEncryptedDatabase } from '../../edge/vault/store/open-encrypted-database.ts';
import { type VaultFiles, vaultFiles } from '../../edge/vault/store/vault-files.ts';
import type { Vault } from '../../edge/vault/vault.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { newId } from '../../shared/ids/ids.ts';
import { onEachWrite } from '../helpers/on-each-write.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { type TestBox, testBox, testVault } from '../helpers/vault.ts';
import { guest } from '../helpers/vault-guests.ts';

const filesOf = (box: TestBox): VaultFiles => vaultFiles(join(box.dataDir, 'tenants', 'hall'));

/** Copies all files of a box as they lie there, also while it runs: what a thief takes, and what a kill -9 leaves. */
function copyBox(from: TestBox, to: TestBox): TestBox {
  for (const folder of ['dataDir', 'keyDir'] as const) {
    rmSync(to[folder], { recursive: true, force: true });
    cpSync(from[folder], to[folder], { recursive: true });
  }
  return { ...to, box: from.box };
}

/** Every file of a copy that may be a header: the one in its place, and drafts that a crash left beside it. */
function headersOf(copy: TestBox): string[] {
  const names = readdirSync(filesOf(copy).keyring).filter((name) => name.startsWith('header.json'));
  return names.map((name) => join(filesOf(copy).keyring, name));
}

interface OpenedHeader {
  readonly header: HeaderFile;
  readonly keys: ShardKeys;
  readonly fileKey: Buffer;
}

/** Header keys that a header gives to whoever has the key files of a box, or undefined when it gives none. */
async function openHeaderOf(path: string, keysOf: TestBox): Promise<OpenedHeader | undefined> {
  const source = new StandaloneKeySource({ ...keysOf, tenant: 'hall' });
  const header = new HeaderFile(path, { org: 'acme', tenant: 'hall', box: keysOf.box }, source);
  try {
    const keys = await header.open();
    return { header, keys, fileKey: keys.keys.get('file-keys')?.bytes ?? Buffer.alloc(0) };
  } catch (error) {
    // No key of that epoch, or a draft that was not written to its end.
    if (error instanceof SecureGateError && (error.code === 'key_rejected' || error.code === 'vault_corrupt')) return undefined;
    throw error;
  }
}

function opens(keyring: Keyring, customerId: string): boolean {
  try {
    return keyring.open(customerId) !== undefined;
  } catch (error) {
    if (error instanceof SecureGateError && error.code === 'envelope_rejected') return false;
    throw error;
  }
}

/** Customers whose keys open with any header of one copy, the keys.db of another, and the key files of a box. */
async function openable(headers: TestBox, keysDb: TestBox, keysOf: TestBox, customerIds: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const path of headersOf(headers)) {
    const opened = await openHeaderOf(path, keysOf);
    if (opened) for (const customerId of await openableWith(opened, keysDb, customerIds)) found.add(customerId);
  }
  return customerIds.filter((customerId) => found.has(customerId));
}

async function openableWith(opened: OpenedHeader, keysDb: TestBox, customerIds: readonly string[]): Promise<string[]> {
  const scratch = await tempFolder();
  cpSync(filesOf(keysDb).keyring, scratch, { recursive: true });
  const database: Database.Database = openEncryptedDatabase(join(scratch, 'keys.db'), {
    key: opened.fileKey,
    schema: KEYS_SCHEMA,
    mode: 'open',
  });
  const keyring = new Keyring({ org: 'acme', tenant: 'hall', box: keysDb.box }, opened.header, opened.keys, database);
  try {
    return customerIds.filter((customerId) => opens(keyring, customerId));
  } finally {
    keyring.close();
  }
}

/** So many customer ids of one shard. */
function ofOneShard(count: number): string[] {
  const ids = [newId('customer')];
  while (ids.length < count) {
    const id = newId('customer');
    if (shardKeyOf(id) === shardKeyOf(ids[0] ?? '')) ids.push(id);
  }
  return ids;
}

async function started(box: TestBox): Promise<Vault> {
  const vault = testVault(box);
  await vault.start();
  return vault;
}

describe('older files beside the present ones', () => {
  const [erased = '', mate = ''] = ofOneShard(2);
  const elsewhere = newId('customer');
  const all = [erased, mate, elsewhere];

  /** A box that has erased one of three, and a copy of all its files from before. */
  async function erasedOne(): Promise<{ box: TestBox; before: TestBox }> {
    const box = await testBox();
    const vault = await started(box);
    for (const [seed, customerId] of all.entries()) vault.customers.enrol({ ...guest(seed), customerId });
    const before = copyBox(box, await testBox());
    await vault.customers.remove({ customerId: erased });
    vault.stop();
    return { box, before };
  }

  test('an older keys.db does not open for his shard, and a complete older copy does as long as the tenant key is the same', async () => {
    const { box, before } = await erasedOne();
    expect(await openable(box, box, box, all)).toEqual([mate, elsewhere]);
    expect(await openable(box, before, box, all)).toEqual([elsewhere]);
    expect(await openable(before, box, box, all)).toEqual([elsewhere]);
    expect(await openable(before, before, box, all)).toEqual(all);
  });

  test('a vault with all of its older databases opens, and he is in no answer of it', async () => {
    const { box, before } = await erasedOne();
    const header = filesOf(box).header;
    const kept = join(await tempFolder(), 'header.json');
    await cp(header, kept);
    await cp(filesOf(before).folder, filesOf(box).folder, { recursive: true });
    await cp(kept, header);
    const vault = await started(box);
    expect(vault.customers.list({ limit: 9 }).items.map(({ customerId }) => customerId)).toEqual([elsewhere]);
    expect(() => vault.customers.get({ customerId: erased })).toThrow(expect.objectContaining({ code: 'envelope_rejected' }));
  });

  test('once the epoch has moved, a complete older copy opens nothing with the key on the box, and all with that of before', async () => {
    const { box, before } = await erasedOne();
    const vault = await started(box);
    await vault.moveEpoch({});
    vault.stop();
    expect(await openable(before, before, box, all)).toEqual([]);
    expect(await openable(box, box, box, all)).toEqual([mate, elsewhere]);
    // No erasure on this box reaches a copy of the key that somebody made before.
    expect(await openable(before, before, before, all)).toEqual(all);
  });
});

test('a move that is cut off leaves no header of the next epoch that brings back who is erased after it', async () => {
  const box = await testBox();
  const vault = await started(box);
  const { customerId } = vault.customers.enrol(guest(1));
  const places = await Promise.all(Array.from({ length: 40 }, testBox));
  const cuts: TestBox[] = [];
  const end = onEachWrite(() => void cuts.push(copyBox(box, places.pop() ?? box)));
  try {
    await vault.moveEpoch({});
  } finally {
    end();
  }
  expect(cuts.length).toBeGreaterThan(15);
  for (const cut of cuts) {
    const after = copyBox(cut, await testBox());
    const again = await started(after);
    await again.customers.remove({ customerId });
    await again.moveEpoch({});
    expect(again.erasures.of([customerId])).toMatchObject([{ keyReplaced: true }]);
    again.stop();
    expect(await openable(cut, cut, cut, [customerId])).toEqual([customerId]);
    expect(await openable(cut, cut, after, [customerId])).toEqual([]);
  }
});

test('no key lies readable in the data folder, at no moment of an erasure or a move', async () => {
  const box = await testBox();
  const vault = await started(box);
  const { customerId } = vault.customers.enrol(guest(1));
  const places = await Promise.all(Array.from({ length: 90 }, testBox));
  const moments: TestBox[] = [];
  const end = onEachWrite(() => void moments.push(copyBox(box, places.pop() ?? box)));
  try {
    await vault.customers.remove({ customerId });
    await vault.moveEpoch({});
  } finally {
    end();
  }
  const secrets = new Set<string>();
  for (const moment of moments) {
    const opened = await openHeaderOf(filesOf(moment).header, moment);
    for (const { bytes } of [...(opened?.keys.keys.values() ?? []), ...(opened?.keys.previous.values() ?? [])])
      secrets.add(bytes.toString('hex'));
    for (const name of readdirSync(moment.keyDir)) secrets.add(readFileSync(join(moment.keyDir, name)).toString('hex'));
  }
  // The header's keys, one shard key and one snapshot key more, and two tenant keys with what the first was overwritten with.
  expect(secrets.size).toBeGreaterThanOrEqual(262 + 2 + 2);
  const needles = [...secrets]
    .filter((hex) => hex.length === 64)
    .flatMap((hex) => [Buffer.from(hex, 'hex'), Buffer.from(hex, 'hex').toString('base64').slice(0, 40), hex]);
  const found = (folder: string): string[] =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => {
        const content = readFileSync(file);
        return needles.some((needle) => content.includes(needle));
      });
  expect(moments.flatMap(({ dataDir }) => found(dataDir))).toEqual([]);
  // The search itself finds the tenant key where it lies.
  expect(moments.at(-1) && found(moments.at(-1)?.keyDir ?? '')).not.toEqual([]);
});

/** One thing that happens to a box. `cut`: before which write of it the power fails, if it has so many. */
interface Step {
  readonly what: 'enrol' | 'erase' | 'move' | 'copy';
  readonly who: number;
  readonly cut: number | undefined;
}

const stepArbitrary: fc.Arbitrary<Step> = fc.record({
  what: fc.constantFrom('enrol', 'enrol', 'erase', 'erase', 'move', 'copy'),
  who: fc.nat(),
  cut: fc.option(fc.integer({ min: 1, max: 25 }), { nil: undefined, freq: 3 }),
});

test('whatever happens in whatever order, and wherever it is cut off: older files never bring back who was erased, and all others open', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(stepArbitrary, { minLength: 6, maxLength: 14 }), async (steps) => {
      const box = await testBox();
      const free = [...ofOneShard(5), ...ofOneShard(5)];
      const alive: string[] = [];
      /** How many copies there were when somebody was erased. */
      const erasedAt = new Map<string, number>();
      const copies: TestBox[] = [];
      let vault = await started(box);

      async function happen({ what, who }: Step): Promise<void> {
        const one = what === 'enrol' ? free.shift() : alive[who % (alive.length || 1)];
        if (what === 'copy') copies.push(copyBox(box, await testBox()));
        else if (what === 'move') await vault.moveEpoch({});
        else if (one === undefined) return;
        else if (what === 'erase') await vault.customers.remove({ customerId: one });
        else vault.customers.enrol({ ...guest(1), customerId: one, faces: [] });
      }

      /** Who is there, as the vault itself says; whoever is not there any more was erased. */
      function take(): void {
        const there = vault.customers.list({ limit: 200 }).items.map(({ customerId }) => customerId);
        for (const customerId of alive) if (!there.includes(customerId)) erasedAt.set(customerId, copies.length);
        alive.splice(0, alive.length, ...there);
      }

      for (const step of steps) {
        let left = step.cut ?? 0;
        let atCut: TestBox | undefined;
        const place = await testBox();
        const end = onEachWrite(() => {
          left -= 1;
          if (left === 0) atCut = copyBox(box, place);
        });
        try {
          await happen(step);
        } finally {
          end();
        }
        if (atCut) {
          vault.stop();
          mkdirSync(box.dataDir, { recursive: true });
          copyBox(atCut, box);
          copies.push(atCut);
          vault = await started(box);
        }
        expect(vault.rejected).toBe(0);
        const wanted = step.what === 'erase' || atCut ? [] : [...alive];
        take();
        expect(alive).toEqual(expect.arrayContaining(wanted));
      }

      const erasures = vault.erasures.list({ limit: 200 }).items;
      expect(erasures.map(({ customerId }) => customerId).sort()).toEqual([...erasedAt.keys()].sort());
      vault.stop();
      expect((await openable(box, box, box, [...alive, ...erasedAt.keys()])).sort()).toEqual([...alive].sort());
      const sources = [...copies, box];
      for (const [h, header] of sources.entries()) {
        for (const [d, keysDb] of sources.entries()) {
          for (const customerId of await openable(header, keysDb, box, [...erasedAt.keys()])) {
            const erasure = erasures.find((one) => one.customerId === customerId);
            const since = erasedAt.get(customerId) ?? 0;
            // Only a copy that is complete and older, and only until the tenant has another key.
            expect({ header: h < since, keysDb: d < since, keyReplaced: erasure?.keyReplaced }).toEqual({
              header: true,
              keysDb: true,
              keyReplaced: false,
            });
          }
        }
      }
    }),
    { numRuns: Number(process.env.INTERLEAVINGS ?? 10), interruptAfterTimeLimit: 600_000 },
  );
}, 900_000);
