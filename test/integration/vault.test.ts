import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { MessageReader } from '../../edge/vault/channel/message-reader.ts';
import { CHANNEL_FD } from '../../edge/vault/channel/open-channel.ts';
import { sendMessage } from '../../edge/vault/channel/send-message.ts';
import type { CustomerView, VaultClient, VaultState } from '../../edge/vault/client.ts';
import type { Vault } from '../../edge/vault/vault.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { newId } from '../../shared/ids/ids.ts';
import { type TestBox, testBox, testClient, testVault } from '../helpers/vault.ts';
import { consentFor, embeddingOf, face, guest, MODEL, pictureOf, sightingOf } from '../helpers/vault-guests.ts';

const refused = (code: string): unknown => expect.objectContaining({ code });
const kill = (pid: number | undefined): void => void process.kill(pid ?? Number.NaN, 'SIGKILL');
const until = (vault: VaultClient, state: VaultState): Promise<unknown> =>
  vi.waitUntil(() => vault.state === state, { timeout: 20_000, interval: 10 });

async function named(vault: VaultClient, seed: number): Promise<string[]> {
  const [candidates = []] = await vault.search({ embeddings: [embeddingOf(seed)], model: MODEL, limit: 3 });
  return candidates.filter(({ score }) => score > 0.9).map(({ customerId }) => customerId);
}

/** Whether a process is there; one that ended and was not reaped yet counts as gone. */
function runs(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return false;
    throw error;
  }
}

describe('a vault in its own process', () => {
  test('lets nobody open a debugger in it', async () => {
    const vault = testClient(await testBox());
    await vault.start();
    process.kill(vault.pid ?? Number.NaN, 'SIGUSR1');
    expect((await vault.listCustomers({ limit: 1 })).items).toEqual([]);
    const tasks = `/proc/${vault.pid}/task`;
    const threads = readdirSync(tasks).map((thread) => readFileSync(join(tasks, thread, 'comm'), 'utf8').trim());
    expect(threads).toContain('V8Worker');
    expect(threads).not.toContain('SignalInspector');
    expect([vault.state, vault.restarts]).toEqual(['ready', 0]);
  });

  test('keeps customers, consents, faces and sightings over a restart', async () => {
    const box = await testBox();
    const vault = testClient(box);
    expect(vault.state).toBe('stopped');
    await expect(vault.listCustomers({ limit: 1 })).rejects.toThrow(refused('vault_unavailable'));
    await vault.start();
    const given = guest(1);
    const { customerId, faceIds } = await vault.enrolCustomer(given);
    expect(faceIds).toHaveLength(1);
    expect(given.faces[0]?.embedding).toEqual(embeddingOf(1));
    await vault.addFace(customerId, face(2));
    await vault.recordConsent(customerId, consentFor(7_200_000));
    const sighting = sightingOf(customerId);
    await vault.recordSighting(sighting);
    expect(vault.faces).toBe(2);
    await vault.stop();
    expect([vault.state, vault.faces]).toEqual(['stopped', 0]);

    await vault.start();
    expect([vault.faces, vault.restarts, vault.rejectedRecords]).toEqual([2, 0, 0]);
    expect(await named(vault, 2)).toEqual([customerId]);
    expect(await vault.getCustomer(customerId)).toMatchObject({
      name: 'Guest Number 1',
      faces: 2,
      faceList: [{ model: MODEL }, { model: MODEL }],
    });
    expect(await vault.listSightings({ customerId, limit: 10 })).toEqual({ items: [sighting], next: null });
  });

  test('carries every operation of the API across the process boundary', async () => {
    const vault = testClient(await testBox());
    await vault.start();
    const { customerId } = await vault.enrolCustomer({
      profile: { name: 'Zoë', contact: 'z@example.org' },
      consent: consentFor(),
      faces: [],
    });
    const { faceId } = await vault.addFace(customerId, { ...face(1), picture: pictureOf(1) });
    const picture = await vault.facePicture(customerId, faceId);
    expect([Buffer.isBuffer(picture), picture]).toEqual([true, pictureOf(1)]);
    expect((await vault.verify({ customerId, embedding: embeddingOf(1), model: MODEL })).score).toBeCloseTo(1, 5);
    expect(await vault.changeProfile(customerId, { contact: null }, 2)).toMatchObject({ name: 'Zoë', contact: null, version: 3 });
    await expect(vault.changeProfile(customerId, { name: 'Late' }, 2)).rejects.toThrow(refused('version_conflict'));
    expect(await vault.listCustomers({ query: 'ZOE', limit: 5 })).toMatchObject({ items: [{ customerId, faces: 1 }], next: null });
    await vault.withdrawConsent(customerId);
    expect(await named(vault, 1)).toEqual([]);
    await vault.recordConsent(customerId, consentFor());
    expect(await named(vault, 1)).toEqual([customerId]);

    await vault.recordSighting(sightingOf(customerId));
    await vault.recordSighting(sightingOf(null, 'hall', 'unknown'));
    const page = await vault.listSightings({ limit: 1 });
    expect(page.items).toMatchObject([{ outcome: 'unknown' }]);
    expect(await vault.listSightings({ limit: 1, cursor: page.next ?? '' })).toMatchObject({ items: [{ customerId }], next: null });

    const { id, version } = await vault.addRecord('attendees', { customerId, seat: undefined, guests: [1, null] }, { customerId });
    expect(await vault.changeRecord('attendees', id, { customerId, seat: 7 }, version, customerId)).toEqual({ id, version: 2 });
    expect(await vault.getRecord('attendees', id)).toEqual({ id, version: 2, customerId, data: { customerId, seat: 7 } });
    await expect(vault.addRecord('rooms', { title: 'x'.repeat(64 * 1024) })).rejects.toThrow(refused('invalid_request'));
    await vault.addRecord('rooms', { title: 'Bar' });
    expect(await vault.listRecords('rooms', { limit: 9 })).toMatchObject({
      items: [{ customerId: null, data: { title: 'Bar' } }],
      next: null,
    });

    await vault.count('api.search');
    await vault.count('api.search', 4);
    const today = new Date().toISOString().slice(0, 10);
    const counted = await vault.usage({ from: '2000-01-01', to: '2999-12-31' });
    // Two days when midnight falls into this test.
    expect(counted.reduce((sum, { counters }) => sum + (counters['api.search'] ?? 0), 0)).toBe(5);
    expect(counted[0]?.day.localeCompare(today)).toBeLessThanOrEqual(0);

    await vault.removeFace(customerId, faceId);
    await expect(vault.facePicture(customerId, faceId)).rejects.toThrow(refused('record_not_found'));
    expect(await vault.moveEpoch()).toEqual({ epoch: 2, moved: true });
    await vault.removeCustomer(customerId);
    const [other, another] = [(await vault.enrolCustomer(guest(2))).customerId, (await vault.enrolCustomer(guest(3))).customerId];
    expect(await vault.eraseCustomers([other, another])).toMatchObject([{ customerId: other }, { customerId: another, epoch: 2 }]);
    await vault.recordReceipt({ epoch: 2, unrecoverableFrom: '2026-01-01T00:00:00.000Z', boxes: [] });
    expect((await vault.listErasures({ limit: 9 })).items.map(({ state }) => state)).toEqual(Array(3).fill('unrecoverable'));
    await expect(vault.getCustomer(customerId)).rejects.toThrow(refused('customer_not_found'));
    await expect(vault.removeRecord('attendees', id)).rejects.toThrow(refused('record_not_found'));
    expect((await vault.listSightings({ limit: 9 })).items).toHaveLength(1);
  });

  test('refuses a request with the code of the vault', async () => {
    const vault = testClient(await testBox());
    await vault.start();
    await expect(vault.getCustomer(newId('customer'))).rejects.toThrow(refused('customer_not_found'));
    await expect(vault.enrolCustomer({ ...guest(1), consent: consentFor(-1) })).rejects.toThrow(refused('consent_expired'));
    await expect(vault.search({ embeddings: [new Float32Array(3)], model: MODEL, limit: 1 })).rejects.toThrow(refused('invalid_request'));
  });

  test('lets nobody be found whose consent ends while it runs', async () => {
    const vault = testClient(await testBox());
    await vault.start();
    const consent = consentFor(5000);
    const { customerId } = await vault.enrolCustomer({ ...guest(1), consent });
    expect(await named(vault, 1)).toEqual([customerId]);
    const endsAt = Date.parse(consent.expiresAt);
    await vi.waitUntil(() => Date.now() >= endsAt, { timeout: 10_000, interval: 20 });
    expect(await named(vault, 1)).toEqual([]);
    expect(vault.faces).toBe(0);
  });

  test('gets neither secrets nor the environment of the daemon', async () => {
    vi.stubEnv('DAEMON_SECRET', 'not for the vault');
    onTestFinished(() => void vi.unstubAllEnvs());
    const box = await testBox();
    const vault = testClient(box);
    await vault.start();
    const environment = (await readFile(`/proc/${vault.pid}/environ`, 'latin1')).split('\0').map((line) => line.split('=')[0]);
    // NODE_CHANNEL_* are Node's own, for the messages.
    expect(environment.filter((name) => name && !name.startsWith('NODE_CHANNEL_')).sort()).toEqual(['MALLOC_PERTURB_', 'PATH']);
    const key = await readFile(join(box.keyDir, 'hall.key'));
    const visible = Buffer.concat(await Promise.all(['cmdline', 'environ'].map((file) => readFile(`/proc/${vault.pid}/${file}`))));
    for (const form of [key, key.toString('hex'), key.toString('base64')]) expect(visible.includes(form)).toBe(false);
  });
});

describe('start', () => {
  test.each(['../x', 'a/b', '', 'x'.repeat(300)])('refuses the tenant id %j', async (tenant) => {
    const vault = testClient(await testBox(), tenant);
    await expect(vault.start()).rejects.toThrow(refused('invalid_id'));
    expect(vault.state).toBe('failed');
  });

  test('gives the reason why a vault does not open, and does not try again by itself', async () => {
    const box = await testBox();
    const vault = testClient(box);
    await vault.start();
    await vault.stop();
    const path = join(box.keyDir, 'hall.key');
    await rename(path, `${path}.away`);
    await expect(vault.start()).rejects.toThrow(refused('key_file_missing'));
    await writeFile(path, Buffer.alloc(32, 1), { mode: 0o600 });
    await expect(vault.start()).rejects.toThrow(refused('key_rejected'));
    expect([vault.state, vault.pid, vault.restarts]).toEqual(['failed', undefined, 0]);
    await rename(`${path}.away`, path);
    await vault.start();
    expect(vault.state).toBe('ready');
  });

  test('is tried again on request until the reason has passed, but not where somebody has to act, nor after a stop', async () => {
    const box = await testBox();
    const vault = testClient(box);
    await writeFile(box.dataDir, 'a file where the folder is to be');
    const failure = async (code: string): Promise<SecureGateError> => {
      const error: unknown = await vault.start().catch((reason: unknown) => reason);
      expect(error).toEqual(refused(code));
      return SecureGateError.from(error);
    };
    vault.keepTrying(await failure('storage_failed'));
    expect(vault.state).toBe('starting');
    await vi.waitUntil(() => vault.restarts > 0, { timeout: 20_000, interval: 10 });
    await vault.stop();
    expect(vault.state).toBe('stopped');
    vault.keepTrying(await failure('storage_failed'));
    await rm(box.dataDir);
    await until(vault, 'ready');
    expect(await vault.listCustomers({ limit: 1 })).toEqual({ items: [], next: null });
    await vault.stop();
    await rm(join(box.keyDir, 'hall.key'));
    vault.keepTrying(await failure('key_file_missing'));
    expect(vault.state).toBe('failed');
  });

  test('can be aborted, and stop ends one that is under way', async () => {
    const vault = testClient(await testBox());
    await expect(vault.start(AbortSignal.abort())).rejects.toThrow(refused('stopped'));
    const aborting = new AbortController();
    const aborted = expect(vault.start(aborting.signal)).rejects.toThrow(refused('stopped'));
    aborting.abort();
    await aborted;
    expect(vault.state).toBe('failed');
    const stopped = expect(vault.start()).rejects.toThrow(refused('stopped'));
    await vault.stop();
    await stopped;
    expect(vault.state).toBe('stopped');
    await vault.start();
    expect(vault.state).toBe('ready');
  });

  test('a second process on the same files is kept out, and gets in when the first has gone', async () => {
    const box = await testBox();
    const [first, second] = [testClient(box), testClient(box)];
    await first.start();
    await expect(second.start()).rejects.toThrow(refused('data_folder_in_use'));
    await first.enrolCustomer(guest(1));
    const entering = second.start();
    await first.stop();
    await entering;
    expect(second.faces).toBe(1);
  });
});

describe('a crash', () => {
  test('ends nothing but this run: the vault comes back, and the other tenant never notices', async () => {
    const box = await testBox();
    const [hall, club] = [testClient(box, 'hall'), testClient(box, 'club')];
    await Promise.all([hall.start(), club.start()]);
    const { customerId } = await hall.enrolCustomer(guest(1));
    await club.enrolCustomer(guest(2));
    const states: VaultState[] = [];
    hall.onStateChange((state) => states.push(state));
    const clubStates: VaultState[] = [];
    club.onStateChange((state) => clubStates.push(state));

    const crashed = hall.pid;
    const pending = [hall.listCustomers({ limit: 1 }), hall.search({ embeddings: [embeddingOf(1)], model: MODEL, limit: 1 })];
    kill(crashed);
    const outcomes = await Promise.allSettled(pending);
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toEqual(refused('vault_unavailable'));
    await until(hall, 'starting');
    await expect(hall.listCustomers({ limit: 1 })).rejects.toThrow(refused('vault_unavailable'));
    expect(await named(club, 2)).toHaveLength(1);
    await until(hall, 'ready');
    expect([hall.restarts, hall.faces]).toEqual([1, 1]);
    expect(hall.pid).not.toBe(crashed);
    expect(await named(hall, 1)).toEqual([customerId]);
    expect(await named(hall, 2)).toEqual([]);
    expect([states, clubStates, club.restarts]).toEqual([['starting', 'ready'], [], 0]);
  });

  test('rejects what was waiting for an answer', async () => {
    const vault = testClient(await testBox());
    await vault.start();
    // A stopped process answers nothing, so the request is certainly waiting when its vault dies.
    process.kill(vault.pid ?? Number.NaN, 'SIGSTOP');
    const waiting = expect(vault.listCustomers({ limit: 1 })).rejects.toThrow(refused('vault_unavailable'));
    kill(vault.pid);
    await waiting;
  });

  test('after which the key is gone ends in `failed`, not in a loop', async () => {
    const box = await testBox();
    const vault = testClient(box);
    await vault.start();
    const reasons: (string | undefined)[] = [];
    vault.onStateChange((_, reason) => reasons.push(reason?.code));
    await rm(join(box.keyDir, 'hall.key'));
    kill(vault.pid);
    await until(vault, 'failed');
    expect([vault.restarts, reasons]).toEqual([1, ['vault_unavailable', 'key_file_missing']]);
    await vault.stop();
    expect([vault.state, vault.restarts]).toEqual(['stopped', 1]);
  });

  test('is not repaired after stop', async () => {
    const vault = testClient(await testBox());
    await vault.start();
    kill(vault.pid);
    await until(vault, 'starting');
    await vault.stop();
    expect([vault.state, vault.pid]).toEqual(['stopped', undefined]);
  });
});

describe('rubbish in the channel', () => {
  function bareVault() {
    const child = spawn(process.execPath, [resolve('edge/vault/main.ts')], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    return { child, channel: child.stdio[CHANNEL_FD] as Socket };
  }

  test('that is a message does not end the process', async () => {
    const { box, dataDir, keyDir } = await testBox();
    const { channel } = bareVault();
    const { promise: reply, resolve: answered } = Promise.withResolvers<unknown>();
    const reader = new MessageReader(({ message }) => answered(message));
    channel.on('data', (piece) => reader.take(piece));
    const input = { scope: { org: 'acme', tenant: 'hall', box }, dataDir, keyDir, logLevel: 'silent' };
    const rubbish = ['text', 7, [], { id: 'x' }, { operation: 'close' }, new Uint8Array(100), new Map([[1, 2]])];
    for (const message of [...rubbish, { id: 5, operation: 'open', arguments: input }]) sendMessage(channel, message, () => undefined);
    expect(await reply).toMatchObject({ id: 5, result: {} });
  });

  test.each([
    ['the length of an endless message', Buffer.from('ffffffff', 'hex')],
    ['no message', Buffer.from('0000000474657874', 'hex')],
  ])('that is none ends it: %s', async (_, bytes) => {
    const { child, channel } = bareVault();
    channel.write(bytes);
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});

/** All customers, page by page. */
function everybody(vault: Vault): CustomerView[] {
  const customers: CustomerView[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = vault.customers.list({ limit: 7, cursor });
    customers.push(...page.items);
    cursor = page.next;
  }
  return customers;
}

/** Every acknowledged customer is whole; whoever is there besides is whole as well; no key is left without its customer. */
async function expectWhole(box: TestBox, acknowledged: readonly string[]): Promise<number> {
  const vault = testVault(box);
  await vault.start();
  expect(vault.rejected).toBe(0);
  const customers = everybody(vault);
  const ids = new Set(customers.map(({ customerId }) => customerId));
  expect(acknowledged.filter((id) => !ids.has(id))).toEqual([]);
  expect(customers.filter(({ faces }) => faces !== 2)).toEqual([]);
  expect(vault.faceCount).toBe(customers.length * 2);
  for (const id of ids) expect(vault.customers.get({ customerId: id }).name).toMatch(/^Guest/);
  vault.stop();
  return customers.length;
}

describe('kill -9 while guests are enrolled: every acknowledged customer is there, none half', () => {
  test('of the vault, at 20 random points', async () => {
    const box = await testBox();
    const acknowledged: string[] = [];
    let seed = 0;
    for (let round = 0; round < 20; round += 1) {
      const vault = testClient(box);
      await vault.start();
      const pid = vault.pid;
      // Some enrolments are let through, then the knife falls anywhere within the next ones.
      const last = acknowledged.length + (round % 5);
      let struck = false;
      const strike = (): void => {
        if (struck || acknowledged.length < last) return;
        struck = true;
        setTimeout(() => kill(pid), Math.random() * 10);
      };
      const enrol = async (): Promise<void> => {
        while (vault.pid === pid) {
          seed += 1;
          const { customerId } = await vault.enrolCustomer({ ...guest(seed), faces: [face(seed), face(seed + 100_000)] });
          acknowledged.push(customerId);
          strike();
        }
      };
      strike();
      const outcomes = await Promise.allSettled([enrol(), enrol(), enrol()]);
      for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toEqual(refused('vault_unavailable'));
      await vault.stop();
    }
    expect(acknowledged.length).toBeGreaterThanOrEqual(40);
    expect(await expectWhole(box, acknowledged)).toBeLessThanOrEqual(seed);
  }, 120_000);

  test('of the daemon: its vault goes by itself, and the next daemon gets in', async () => {
    const box = await testBox();
    const acknowledged: string[] = [];
    for (let round = 0; round < 5; round += 1) {
      const owner: ChildProcess = spawn(process.execPath, [resolve('test/fixtures/vault-owner.ts'), box.box, box.dataDir, box.keyDir], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      onTestFinished(() => void owner.kill('SIGKILL'));
      let vaultPid = 0;
      const wanted = 1 + Math.floor(Math.random() * 30);
      let lines = 0;
      for await (const line of createInterface({ input: owner.stdout ?? process.stdin })) {
        if (vaultPid === 0) vaultPid = Number(line);
        else acknowledged.push(line);
        lines += 1;
        if (lines === wanted) owner.kill('SIGKILL');
      }
      await vi.waitUntil(() => !runs(vaultPid), { timeout: 10_000, interval: 10 });
    }
    expect(acknowledged.length).toBeGreaterThan(5);
    await expectWhole(box, acknowledged);
  }, 120_000);
});

test('kill -9 while guests are removed: who is acknowledged is gone, everybody else is whole', async () => {
  const box = await testBox();
  const all: string[] = [];
  const gone: string[] = [];
  for (let round = 0; round < 8; round += 1) {
    const vault = testClient(box);
    await vault.start();
    const pid = vault.pid;
    const guests: string[] = [];
    for (let seed = 0; seed < 8; seed += 1) {
      const { customerId } = await vault.enrolCustomer({ ...guest(seed), faces: [face(seed), face(seed + 100_000)] });
      guests.push(customerId);
      await vault.recordSighting(sightingOf(customerId));
    }
    all.push(...guests);
    // The knife falls anywhere within the removals, or right after them; each round later, since a busy machine is slow to begin.
    setTimeout(() => kill(pid), Math.random() * 40 * (round + 1));
    const outcomes = await Promise.allSettled(
      guests.map(async (customerId) => {
        await vault.removeCustomer(customerId);
        gone.push(customerId);
      }),
    );
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toEqual(refused('vault_unavailable'));
    await vi.waitUntil(() => vault.pid !== pid, { timeout: 20_000, interval: 10 });
    await vault.stop();
  }
  expect(gone.length).toBeGreaterThan(0);
  expect(await expectWhole(box, [])).toBeLessThanOrEqual(all.length - gone.length);
  const vault = testVault(box);
  await vault.start();
  for (const customerId of gone) expect(() => vault.customers.get({ customerId })).toThrow(refused('customer_not_found'));
  const left = new Set(everybody(vault).map(({ customerId }) => customerId));
  expect(new Set(vault.sightings.list({ limit: 200 }).items.map(({ customerId }) => customerId))).toEqual(left);
}, 120_000);
