import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { parseConfig } from '../../edge/config/load-config.ts';
import { openStages } from '../../edge/open-stages.ts';
import { describeStill } from '../../edge/pipeline/describe-still.ts';
import { HEADER_KEY_NAMES } from '../../edge/vault/keys/header-keys.ts';
import { BoxApi } from '../../provisioning/demo/daemon/box-api.ts';
import { ByteSearch } from '../../provisioning/demo/scan/byte-search.ts';
import { findVault } from '../../provisioning/drills/harness/find-vault.ts';
import { DaemonProcess } from '../helpers/daemon-process.ts';
import { embeddedModels } from '../helpers/embedded-models.ts';
import { twoPeople } from '../helpers/people.ts';
import { mayReadMemory, searchMemory } from '../helpers/process-memory.ts';
import { testLogger } from '../helpers/secrecy/test-logger.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { type TestBox, testBox, testClient } from '../helpers/vault.ts';
import { consentFor, embeddingOf, guest, MODEL } from '../helpers/vault-guests.ts';
import { addEmbedding, addKeys, vaultKeys } from '../helpers/vault-secrets.ts';

/** A second, or ten, as edge/vault/THREATS.md promises, and time for a machine that is busy. */
const GONE = { timeout: 25_000, interval: 500 };
const GUESTS = 12;
const ERASED = 5;
const SHARDS = HEADER_KEY_NAMES.filter((name) => name.startsWith('shard-'));

describe.skipIf(!mayReadMemory())(
  'the memory of a vault (skipped where nobody may read that of another process)',
  { timeout: 120_000 },
  () => {
    let box: TestBox;
    beforeEach(async () => {
      box = await testBox();
    });

    /** A vault at work with some guests, and a search for all that is secret in it. */
    async function atWork() {
      const client = testClient(box);
      await client.start();
      const ids: string[] = [];
      for (let seed = 0; seed < GUESTS; seed += 1) ids.push((await client.enrolCustomer(guest(seed))).customerId);
      const keys = await vaultKeys(box, 'hall', ids);
      const search = addKeys(new ByteSearch(), keys);
      for (let seed = 0; seed < GUESTS; seed += 1) addEmbedding(search, `face ${seed}`, embeddingOf(seed));
      const pid = client.pid ?? 0;
      const found = (): string[] => [...searchMemory(pid, search)];
      /** What is found when a customer's key was just used: before that is gone, if the machine is not too busy to look in time. */
      const foundAfterUse = async (customerId: string): Promise<string[]> => {
        await client.getCustomer(customerId);
        return found();
      };
      return { client, pid, ids, found, foundAfterUse };
    }

    test('the search finds a key that is there', async () => {
      await testClient(box).start();
      const keys = await vaultKeys(box, 'hall', []);
      const search = addKeys(new ByteSearch(), keys);
      const copy = join(await tempFolder(), 'key');
      await writeFile(copy, keys.get('tenant key') ?? '');
      const program = 'globalThis.key = fs.readFileSync(process.argv[1]); console.log("held"); setInterval(() => 0, 1e6)';
      const holder = spawn(process.execPath, ['-e', program, copy]);
      onTestFinished(() => void holder.kill('SIGKILL'));
      await once(holder.stdout, 'data');
      expect([...searchMemory(holder.pid ?? 0, search)]).toEqual(['tenant key']);
    });

    test('holds what it works with while it is open: not the tenant key, nor a customer key after its use', async () => {
      const { ids, found, foundAfterUse } = await atWork();
      await expect.poll(() => foundAfterUse(ids[0] ?? ''), GONE).toContain(`customer key ${ids[0]}`);
      const held = [...SHARDS, 'file-keys', 'file-vault', ...Array.from({ length: GUESTS }, (_, seed) => `face ${seed}, float32`)];
      await expect.poll(() => found().sort(), GONE).toEqual(held.sort());
    });

    test('holds nothing of a customer who was removed, and no face that was only searched for', async () => {
      const { client, pid, ids, found, foundAfterUse } = await atWork();
      const his = (name: string): boolean => name.startsWith(`face ${ERASED},`) || name.endsWith(ids[ERASED] ?? '');
      const stranger = addEmbedding(new ByteSearch(), 'stranger', embeddingOf(4711));
      await client.search({ embeddings: [embeddingOf(4711)], model: MODEL, limit: 5 });
      await expect.poll(async () => (await foundAfterUse(ids[ERASED] ?? '')).filter(his), GONE).toHaveLength(2);
      const replaced = (): string[] => {
        const there = new Set(found());
        return SHARDS.filter((name) => !there.has(name));
      };
      expect(replaced()).toEqual([]);
      await client.removeCustomer(ids[ERASED] ?? '');
      await expect.poll(() => found().filter(his), GONE).toEqual([]);
      // The shard that his key was under has another key now, and what it had before is nowhere.
      await expect.poll(replaced, GONE).toHaveLength(1);
      await expect.poll(() => [...searchMemory(pid, stranger)], GONE).toEqual([]);
      expect(found()).toEqual(expect.arrayContaining(['face 0, float32']));
    });

    test('is gone with its process, shut down or killed', async () => {
      const { client, pid } = await atWork();
      await client.stop();
      expect(existsSync(`/proc/${pid}`)).toBe(false);
      await client.start();
      const again = client.pid ?? 0;
      process.kill(again, 'SIGKILL');
      await expect.poll(() => existsSync(`/proc/${again}`)).toBe(false);
    });
  },
);

describe.skipIf(!mayReadMemory())(
  'the memory of a daemon (skipped where nobody may read that of another process)',
  { timeout: 120_000 },
  () => {
    test('holds no key at any time, and a face only as long as it is looked at', async () => {
      await embeddedModels();
      const [guest, stranger] = await twoPeople();
      const folder = await tempFolder();
      const config = {
        dataDir: join(folder, 'data'),
        keyDir: join(folder, 'keys'),
        api: { port: 0 },
        tenants: [{ id: 'hall', org: 'acme' }],
      };
      const { stages } = await openStages(parseConfig(config), testLogger());
      onTestFinished(() => stages.stop());
      const faces = new ByteSearch();
      addEmbedding(faces, 'guest', (await describeStill(stages, guest.toEnrol, 'enrol')).embedding);
      addEmbedding(faces, 'stranger', (await describeStill(stages, stranger.toEnrol, 'search')).embedding);
      const file = join(folder, 'box.json');
      await writeFile(file, JSON.stringify(config));
      const daemon = new DaemonProcess(file);
      onTestFinished(() => daemon.cleanUp());
      const ready = await daemon.until('ready');
      const api = new BoxApi(ready.api, (await readFile(join(config.keyDir, 'admin.token'), 'utf8')).trim());

      const { body: customer } = await api.post('/v1/tenants/hall/customers', { name: 'Ottoline Quist', consent: consentFor() });
      const added = await api.postPicture(`/v1/tenants/hall/customers/${customer.id}/faces`, guest.toEnrol);
      const searched = await api.postPicture('/v1/tenants/hall/search', stranger.toEnrol);
      expect([added.status, searched.status]).toEqual([201, 200]);

      const vault = await findVault(daemon.pid, 'hall');
      expect([...searchMemory(vault, faces)]).toContain('guest, float32');
      expect([...searchMemory(daemon.pid, faces)]).toEqual([]);
      await expect.poll(() => [...searchMemory(vault, faces)], GONE).toEqual(['guest, float32']);
      const keys = addKeys(new ByteSearch(), await vaultKeys({ ...config, box: ready.box }, 'hall', [customer.id]));
      expect([...searchMemory(daemon.pid, keys)]).toEqual([]);
    });
  },
);
