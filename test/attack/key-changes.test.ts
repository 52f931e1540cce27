import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { describe, expect, onTestFinished, test } from 'vitest';
import { signByAuditKey } from '../../cloud/audit/sign-by-audit-key.ts';
import { Reception } from '../../cloud/fleet/reception.ts';
import { Witnesses } from '../../cloud/fleet/witness/witnesses.ts';
import { renew } from '../../edge/link/enrolment/renew.ts';
import type { LogExport } from '../../provisioning/audit/log-export.ts';
import { type SeenLog, verifyLog } from '../../provisioning/audit/verify-log.ts';
import { LOG_HEAD_TYPE } from '../../shared/audit/log-tokens.ts';
import { KEY_CHANGE_TYPE, PINNED_USES } from '../../shared/lease/key-change.ts';
import { ConnectedBox } from '../helpers/connected-box.ts';
import { TestFleet } from '../helpers/fleet.ts';
import { type TestKms, testKms } from '../helpers/kms.ts';
import { LogPlace } from '../helpers/log-place.ts';
import { MemoryTransport } from '../helpers/memory-transport.ts';
import { testLogger } from '../helpers/secrecy/test-logger.ts';
import { hasSoftHsm } from '../helpers/soft-hsm.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { WitnessingBox } from '../helpers/witnessing-box.ts';

const PATIENTLY = { timeout: 30_000, interval: 20 };
const refused = (code: string): unknown => expect.objectContaining({ code });

describe.each(['software', ...(hasSoftHsm ? (['softhsm'] as const) : [])] as const)('a KMS on %s that changes a key', (driver) => {
  test('signs by the next one from then on, also after a restart; what it signed before still holds', async () => {
    const kms = await testKms(driver);
    const { client } = kms;
    for (const use of PINNED_USES) {
      const before = await client.call('signingKey', { use });
      expect(await client.call('keyHistory', { use })).toEqual({ keys: [before], changes: [] });
      const key = await client.call('changeKey', { use });
      expect(key).not.toEqual(before);
      await kms.stop('SIGKILL');
      await kms.start();
      expect(await client.call('signingKey', { use })).toEqual(key);
      const { keys, changes } = await client.call('keyHistory', { use });
      expect(keys).toEqual([key, before]);
      expect(changes.map((change) => decodeJwt(change))).toEqual([expect.objectContaining({ use, key })]);
    }
  });

  test('lets nobody else say which key counts, nor sign in the name of another one', async () => {
    const { client } = await testKms(driver);
    const key = await client.call('signingKey', { use: 'audit' });
    for (const use of ['audit', 'commands', 'ca'] as const) {
      const message = messageOf({ alg: 'ES256', typ: KEY_CHANGE_TYPE }, { use: 'audit', key, iat: 1 });
      await expect(client.call('sign', { use, messages: [Buffer.from('x'), message] })).rejects.toEqual(refused('key_change_rejected'));
    }
    const head = await signByAuditKey(client, LOG_HEAD_TYPE, {});
    await client.call('changeKey', { use: 'audit' });
    const [header = ''] = head.split('.');
    const message = Buffer.from(`${header}.e30`);
    await expect(client.call('sign', { use: 'audit', messages: [Buffer.from('x'), message] })).rejects.toEqual(refused('conflict'));
  });
});

test('a KMS changes a key so often in an hour, and says in its audit that it did', async () => {
  const kms = await testKms('software');
  const place = await LogPlace.open({ file: join(await tempFolder(), 'cloud.db') }, kms.client);
  for (let times = 0; times < 4; times += 1) await kms.client.call('changeKey', { use: 'audit' });
  await expect(kms.client.call('changeKey', { use: 'audit' })).rejects.toEqual(refused('rate_limited'));
  await place.head();
  const rows = await place.store.db.selectFrom('audit').select(['operation', 'target', 'outcome']).execute();
  expect(rows.filter(({ operation }) => operation === 'kms.changeKey').map(({ target, outcome }) => `${target} ${outcome}`)).toEqual([
    ...Array.from({ length: 4 }, () => 'audit done'),
    'audit rate_limited',
  ]);
});

/** A log, a box that watches it and an auditor: both have pinned the first key. What the box is told can be changed on the way. */
async function watched() {
  const kms: TestKms = await testKms('software');
  const place = await LogPlace.open({ file: join(await tempFolder(), 'cloud.db') }, kms.client);
  const transport = new MemoryTransport();
  const box = await WitnessingBox.start(transport, [place.key]);
  const told: { keyChanges?: string[] } = {};
  const heads = {
    update: async (head: undefined) => ({ ...(await place.heads.update(head)), ...told }),
    sizeOf: place.heads.sizeOf.bind(place.heads),
  };
  const [courier, logger] = [transport.courier(), testLogger('cloud')];
  const { audit, tree, store } = place;
  const witnesses = new Witnesses({ db: store.db, courier, audit, tree, heads: heads as never, now: Date.now, logger });
  const boxes = { find: async () => ({ org: 'acme', signingKeys: [box.keyHash] }) };
  const reception = new Reception({ courier, boxes, takers: [witnesses.takers], logger });
  reception.start();
  onTestFinished(() => reception.stop());
  const goOn = async (target: string): Promise<string> => {
    await place.act(target);
    const { token } = await place.head();
    await box.ask();
    return token;
  };
  const token = await goOn('one');
  await expect.poll(() => box.memory.kept(), PATIENTLY).toBe(token);
  return { kms, place, box, told, goOn };
}

async function exportOf(place: LogPlace): Promise<LogExport> {
  const { token, size } = await place.head();
  const leaves = (await place.tree.tile({ level: 0, number: 0 })).slice(0, size);
  const { key, changes } = await place.heads.keyOf(token);
  const none = { recoveries: [], orgKeys: null, forks: [], entries: [], cosignatures: [] };
  return { version: 1, org: 'acme', key, keyChanges: [...changes], head: token, leaves, ...none };
}

describe('whoever has pinned the key of the log', () => {
  test('follows its changes, and what was signed before them holds', async () => {
    const { kms, place, box, goOn } = await watched();
    let seen: SeenLog | undefined = (await verifyLog(await exportOf(place), place.key, undefined)).seen;
    for (const target of ['two', 'three']) {
      const key = await kms.client.call('changeKey', { use: 'audit' });
      const token = await goOn(target);
      await expect.poll(() => box.memory.kept(), PATIENTLY).toBe(token);
      expect(box.auditKeys[0]).toEqual(key);
      seen = (await verifyLog(await exportOf(place), seen.key, seen)).seen;
      expect(seen.key).toEqual(key);
    }
    expect(box.memory.accusations()).toEqual([]);
    expect(box.auditKeys).toHaveLength(3);
    // Who has the first key from elsewhere comes to the same.
    expect((await verifyLog(await exportOf(place), place.key, seen)).seen).toEqual(seen);
    expect((await verifyLog(await exportOf(place), place.key, undefined)).seen).toEqual(seen);
  });

  test('believes no change that the key did not sign, and says so', async () => {
    const { kms, place, box, told, goOn } = await watched();
    const before = box.memory.kept();
    const stranger = (await testKms('software')).client;
    await stranger.call('changeKey', { use: 'audit' });
    told.keyChanges = (await stranger.call('keyHistory', { use: 'audit' })).changes;
    await goOn('two');
    await expect.poll(() => box.memory.accusations(), PATIENTLY).toEqual(['key_change_rejected']);
    expect(box.memory.kept()).toBe(before);
    expect(box.auditKeys).toEqual([place.key]);
    const log = { ...(await exportOf(place)), keyChanges: told.keyChanges };
    await expect(verifyLog(log, place.key, undefined)).rejects.toEqual(refused('key_change_rejected'));
    // Nor a head of another key without any word on it.
    told.keyChanges = [];
    await kms.client.call('changeKey', { use: 'audit' });
    await goOn('three');
    await expect.poll(() => box.memory.accusations(), PATIENTLY).toContain('log_head_rejected');
    const silent = { ...(await exportOf(place)), keyChanges: [] };
    await expect(verifyLog(silent, place.key, undefined)).rejects.toEqual(refused('log_head_rejected'));
  });

  test('believes nothing new that a retired key has signed', async () => {
    const { kms, place, box, goOn } = await watched();
    const { seen } = await verifyLog(await exportOf(place), place.key, undefined);
    const old = await exportOf(place);
    await kms.client.call('changeKey', { use: 'audit' });
    const token = await goOn('two');
    await expect.poll(() => box.memory.kept(), PATIENTLY).toBe(token);
    const newest = await verifyLog(await exportOf(place), place.key, seen);
    // The head from before the change, which the retired key has signed, as the newest one.
    await expect(verifyLog(old, place.key, newest.seen)).rejects.toEqual(refused('log_head_rejected'));
    await place.store.db.deleteFrom('log_heads').where('token', '!=', old.head).execute();
    await box.ask();
    await expect.poll(() => box.memory.accusations(), PATIENTLY).toEqual(['log_head_rejected']);
    expect(box.memory.kept()).toBe(token);
  });
});

describe('a box that is enrolled', () => {
  test('follows the keys for commands and leases over its link, and does what the new one signs', async () => {
    const fleet = await TestFleet.start({ broker: 'embedded' });
    const box = await fleet.enrolled();
    const { link } = await ConnectedBox.start(box);
    await expect.poll(() => link.state?.connected, PATIENTLY).toBe(true);
    const { client } = fleet.kms;
    const before = box.folder.read();
    // What comes under the new key for commands has the box ask for both.
    const leases = await client.call('changeKey', { use: 'leases' });
    const commands = await client.call('changeKey', { use: 'commands' });
    const given = await fleet.ask('POST', '/commands', { device: box.id, order: { kind: 'sync', body: {} } });
    expect(given.status).toBe(201);
    const state = async (): Promise<unknown> => (await fleet.ask('GET', `/commands/${given.body.id}`)).body.state;
    await expect.poll(state, { timeout: 60_000, interval: 200 }).toBe('SUCCEEDED');
    const after = box.folder.read();
    expect(after).toMatchObject({ commandKeys: [commands, ...before.commandKeys], leaseKeys: [leases, ...before.leaseKeys] });
    expect(after.keyChanges).toHaveLength(2);
    // With its next certificate it learns the others.
    const audit = await client.call('changeKey', { use: 'audit' });
    await renew(box.folder);
    expect(box.folder.read().auditKeys).toEqual([audit, ...before.auditKeys]);
    // Whoever enrols now pins those that count.
    expect((await fleet.enrolled()).folder.read()).toMatchObject({ commandKeys: [commands], leaseKeys: [leases], auditKeys: [audit] });
  }, 120_000);

  test('counts on its keys although its next certificate comes with others', async () => {
    const fleet = await TestFleet.start();
    const box = await fleet.enrolled();
    const stranger = await (await testKms('software')).client.call('signingKey', { use: 'commands' });
    const pinned = { ...box.folder.read(), commandKeys: [stranger] };
    box.folder.write(pinned);
    await expect(renew(box.folder)).rejects.toEqual(refused('key_change_rejected'));
    const renewed = box.folder.read();
    expect(renewed.commandKeys).toEqual([stranger]);
    expect(renewed.certificate).not.toBe(pinned.certificate);
  });
});

function messageOf(header: object, claims: object): Buffer {
  return Buffer.from([header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.'));
}
