import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COMMAND_STATES, REACHED_FROM } from '../../cloud/fleet/ledger/command-states.ts';
import { Commands } from '../../cloud/fleet/ledger/commands.ts';
import { Links } from '../../cloud/fleet/ledger/links.ts';
import { moveCommand } from '../../cloud/fleet/ledger/move-command.ts';
import { LOCAL_OPERATOR } from '../../cloud/iam/local-operator.ts';
import type { KmsClient } from '../../cloud/kms/client.ts';
import type { StoreAddress } from '../../cloud/store/open-store.ts';
import { newId } from '../../shared/ids/ids.ts';
import { newUlid } from '../../shared/ids/ulid.ts';
import { TestCloud } from '../helpers/cloud.ts';
import { testKms } from '../helpers/kms.ts';
import { ADA, Deeds, LedgerPlace } from '../helpers/ledger-place.ts';
import { LinkedBox } from '../helpers/linked-box.ts';
import { MemoryTransport } from '../helpers/memory-transport.ts';
import { renew, restart, revoke } from '../helpers/orders.ts';
import { startPostgres, type TestPostgres } from '../helpers/postgres.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);
afterAll(async () => postgres.stop());

describe.each(['SQLite', 'Postgres'])('commands, by a ledger on %s', (database) => {
  const freshStore = async (): Promise<StoreAddress> =>
    database === 'SQLite' ? { file: join(await tempFolder(), 'cloud.db') } : { postgres: await postgres.database() };

  async function makePlace(): Promise<LedgerPlace> {
    const kms = await testKms('software');
    return await LedgerPlace.make(kms.client, await freshStore());
  }

  test('what waits for a box is done in order when it says hello, and the next at once; what the box signs is kept', async () => {
    const place = await makePlace();
    const { box, deeds } = await place.box();
    const ids = [
      await place.give(box.id, renew('a1')),
      await place.give(box.id, restart('b1')),
      await place.give(box.id, { kind: 'sync', body: {} }),
    ];
    expect(await Promise.all(ids.map((id) => place.stateOf(id)))).toEqual(['QUEUED', 'QUEUED', 'QUEUED']);
    expect(place.transport.sent).toEqual([]);
    await place.transport.connect(box.id);
    await expect.poll(() => Promise.all(ids.map((id) => place.stateOf(id)))).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']);
    const last = await place.give(box.id, renew('c1'));
    await expect.poll(() => place.stateOf(last)).toBe('SUCCEEDED');
    expect(deeds.done).toEqual(['renew a1', 'restart b1', 'sync', 'renew c1']);

    const { items } = await place.ledger.receipts.list('acme', { device: box.id, limit: 10 });
    expect(items.map(({ command, state }) => [command, state])).toEqual([...ids, last].map((id) => [id, 'SUCCEEDED']));
    expect(decodeJwt(items[1]?.token ?? '')).toMatchObject({
      sub: box.id,
      command: ids[1],
      state: 'SUCCEEDED',
      pair: { incarnation: 1, sequence: 2 },
    });
    await expect.poll(() => box.journal.untold()).toEqual([]);
    expect(await place.ledger.receipts.list('acme', { command: last, limit: 10 })).toMatchObject({
      items: [{ command: last }],
      next: null,
    });
    await expect(place.ledger.receipts.get('other', items[0]?.id ?? '')).rejects.toMatchObject({ code: 'receipt_not_found' });
    await expect(place.ledger.commands.get('other', last)).rejects.toMatchObject({ code: 'command_not_found' });
    await expect(sql`UPDATE receipts SET state = 'FAILED'`.execute(place.store.db)).rejects.toThrow('kept for ever');
  });

  test('from a state to another there are the ways that are written down, and no other', async () => {
    const place = await makePlace();
    const { db } = place.store;
    const { box } = await place.box();
    for (const from of COMMAND_STATES) {
      for (const to of COMMAND_STATES) {
        if (to === 'QUEUED') continue;
        const id = await place.give(box.id, renew('a1'));
        await db.updateTable('commands').set({ state: from }).where('id', '=', id).execute();
        const ways: readonly string[] = REACHED_FROM[to];
        expect(await moveCommand(db, id, to, {}, place.at), `${from} to ${to}`).toBe(ways.includes(from));
        expect(await place.stateOf(id)).toBe(ways.includes(from) ? to : from);
      }
    }
    for (const last of ['SUCCEEDED', 'FAILED', 'REJECTED']) expect(Object.values(REACHED_FROM).flat()).not.toContain(last);
  });

  test('a box that says its first hello while it is given something is looked at once more when that is there to see', async () => {
    const place = await makePlace();
    const { box } = await place.box();
    const { db } = place.store;
    const seen: number[] = [];
    const wake: Links['wake'] = async (devices, within = db) => {
      if (devices.length > 0) seen.push(within === db ? (await db.selectFrom('commands').select('id').execute()).length : -1);
      return 0;
    };
    const boxes = { find: async (device: string) => place.known.get(device) };
    const commands = new Commands({ db, boxes, links: { wake }, onWaiting: () => void seen.push(0), now: place.now });
    await commands.create('acme', commands.newId(), ADA, { device: box.id, order: renew('a1') });
    // Within what is being written, after it was written, and then it is sent.
    expect(seen).toEqual([-1, 1, 0]);
  });

  test('who finds nothing for a box does not put off what another process has found since, and may not live to send', async () => {
    const place = await makePlace();
    const { box } = await place.box();
    const randoms = [0.1, 0.9];
    const links = new Links({ db: place.store.db, now: place.now, random: () => randoms.shift() ?? 0 });
    await links.hello(box.id, { session: newUlid(place.at), highest: null, receipt: null, keys: [] });
    const early = await links.claim([box.id]);
    await links.wake([box.id]);
    expect(await links.claim([box.id])).toHaveLength(1);
    await links.rest(early.map((one) => ({ ...one, until: undefined })));
    place.at += MINUTE;
    expect(await links.due(10)).toEqual([box.id]);
  });

  test('given twice under one id, as two processes do that work on repetitions of one request, it is one', async () => {
    const place = await makePlace();
    const { box } = await place.box();
    const { commands } = place.ledger;
    const id = commands.newId();
    const [one, other] = await Promise.all([1, 2].map(() => commands.create('acme', id, ADA, { device: box.id, order: renew('a1') })));
    expect(one).toEqual(other);
    expect((await commands.list('acme', { limit: 10 })).items.map((given) => given.id)).toEqual([id]);
  });

  test('what fails is told with its reason', async () => {
    const place = await makePlace();
    const { box, deeds } = await place.box();
    deeds.gate = Promise.reject(new Error('broken'));
    deeds.gate.catch(() => undefined);
    await place.transport.connect(box.id);
    const id = await place.give(box.id, renew('a1'));
    await expect.poll(() => place.ledger.commands.get('acme', id)).toMatchObject({ state: 'FAILED', reason: 'internal' });
  });

  test('one that is urgent waits for no other, and never expires', async () => {
    const place = await makePlace();
    const { box, deeds } = await place.box();
    const done = Promise.withResolvers<void>();
    deeds.gate = done.promise;
    await place.transport.connect(box.id);
    const slow = await place.give(box.id, restart('a1'));
    await expect.poll(() => place.stateOf(slow)).toBe('IN_PROGRESS');
    const waiting = await place.give(box.id, renew('b1'));
    const urgent = await place.give(box.id, revoke('c1'));
    await expect.poll(() => place.stateOf(urgent)).toBe('IN_PROGRESS');
    expect(deeds.begun).toEqual(['restart a1', 'revoke c1']);
    expect(await place.stateOf(waiting)).toBe('QUEUED');
    expect(await place.ledger.commands.get('acme', urgent)).toMatchObject({ urgent: true, expiresAt: null, sequence: null });
    done.resolve();
    await expect.poll(() => place.stateOf(waiting)).toBe('SUCCEEDED');
    expect(deeds.begun).toEqual(['restart a1', 'revoke c1', 'renew b1']);
    await expect(place.give(box.id, revoke('d1'), { expiresAt: new Date(place.at + DAY).toISOString() })).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });

  test('a time before which and one after which it is not done; others do not wait for it', async () => {
    const place = await makePlace();
    const { box, deeds } = await place.box();
    await place.transport.connect(box.id);
    const later = await place.give(box.id, renew('later'), { notBefore: new Date(place.at + 10 * MINUTE).toISOString() });
    const now = await place.give(box.id, renew('now'));
    await expect.poll(() => place.stateOf(now)).toBe('SUCCEEDED');
    await place.pass(9 * MINUTE);
    expect(await place.stateOf(later)).toBe('QUEUED');
    await place.pass(MINUTE);
    await expect.poll(() => place.stateOf(later)).toBe('SUCCEEDED');
    expect(deeds.done).toEqual(['renew now', 'renew later']);

    const due = await place.give(box.id, renew('due'), { notBefore: new Date(place.at + MINUTE).toISOString() });
    const finished = Promise.withResolvers<void>();
    deeds.gate = finished.promise;
    const underWay = await place.give(box.id, renew('under-way'));
    await expect.poll(() => place.stateOf(underWay)).toBe('IN_PROGRESS');
    await place.pass(10 * MINUTE);
    expect(await place.stateOf(due), 'what is under way is finished first').toBe('QUEUED');
    finished.resolve();
    await expect.poll(() => place.stateOf(due)).toBe('SUCCEEDED');

    place.transport.cut(box.id);
    const late = await place.give(box.id, renew('late'), { expiresAt: new Date(place.at + MINUTE).toISOString() });
    const next = await place.give(box.id, renew('next'));
    await place.pass(2 * MINUTE);
    expect(await place.ledger.commands.get('acme', late)).toMatchObject({ state: 'TIMED_OUT', reason: 'command_expired' });
    await place.transport.connect(box.id);
    await expect.poll(() => place.stateOf(next)).toBe('SUCCEEDED');
    expect(deeds.done).not.toContain('renew late');
    for (const times of [
      { notBefore: new Date(place.at + 2 * DAY).toISOString(), expiresAt: new Date(place.at + DAY).toISOString() },
      { expiresAt: new Date(place.at - 1).toISOString() },
      { expiresAt: new Date(place.at + 365 * DAY).toISOString() },
    ]) {
      await expect(place.give(box.id, renew('never'), times)).rejects.toMatchObject({ code: 'invalid_request' });
    }
  });

  test('cancelled before the box has begun it is not done; afterwards it is too late', async () => {
    const place = await makePlace();
    const { box, deeds } = await place.box();
    const [first, second] = [await place.give(box.id, renew('a1')), await place.give(box.id, renew('b1'))];
    expect(await place.ledger.commands.cancel('acme', first)).toMatchObject({ state: 'CANCELED' });
    await expect(place.ledger.commands.cancel('acme', first)).rejects.toMatchObject({ code: 'command_settled' });
    await place.transport.connect(box.id);
    await expect.poll(() => place.stateOf(second)).toBe('SUCCEEDED');
    expect(deeds.done).toEqual(['renew b1']);
    await expect(place.ledger.commands.cancel('acme', second)).rejects.toMatchObject({
      code: 'command_settled',
      details: { state: 'SUCCEEDED' },
    });
    await expect(place.ledger.commands.cancel('other', second)).rejects.toMatchObject({ code: 'command_not_found' });
    expect(await place.ledger.commands.list('acme', { state: 'CANCELED', limit: 5 })).toMatchObject({ items: [{ id: first }], next: null });
  });

  test('commands and words that are lost are sent again, ever more seldom', async () => {
    const place = await makePlace();
    const { box, deeds } = await place.box();
    await place.transport.connect(box.id);
    const commands = (): number => place.transport.sent.filter(({ channel }) => channel === 'commands').length;
    await expect.poll(() => place.transport.sent.some(({ channel }) => channel === 'replies')).toBe(true);
    place.transport.prompt = false;
    const lose = (): void => {
      while (place.transport.onWay.length > 0) place.transport.drop(0);
    };
    const id = await place.give(box.id, renew('a1'));
    await expect.poll(commands).toBe(1);
    lose();
    await place.pass(500);
    expect(commands()).toBe(1);
    await place.pass(500);
    expect(commands()).toBe(2);
    await place.pass(1000);
    expect(commands()).toBe(2);
    lose();
    await place.pass(1000);
    expect(commands()).toBe(3);
    await place.transport.deliverNext('commands');
    await expect.poll(() => deeds.done).toEqual(['renew a1']);
    expect(await place.stateOf(id)).toBe('SENT');
    lose();
    place.transport.prompt = true;
    await expect.poll(() => place.stateOf(id)).toBe('SUCCEEDED');
    expect(deeds.begun).toEqual(['renew a1']);
  });

  test('a box that has answered is not told again because its word waits for orders of others', async () => {
    const kms = await testKms('software');
    const slow = Promise.withResolvers<void>();
    let isSlow = false;
    const call: KmsClient['call'] = async (...asked) => {
      if (isSlow && asked[0] === 'sign') await slow.promise;
      return await kms.client.call(...asked);
    };
    const place = await LedgerPlace.make({ call }, await freshStore());
    const [{ box, deeds }, { box: other }] = [await place.box(), await place.box()];
    for (const { id } of [box, other]) await place.transport.connect(id);
    await place.transport.untilQuiet();
    place.transport.prompt = false;
    const told = (): number => place.transport.sent.filter(({ channel, device }) => channel === 'commands' && device === box.id).length;
    const id = await place.give(box.id, renew('a1'));
    await place.transport.deliverNext('commands');
    await expect.poll(() => place.transport.onWay.some(({ channel }) => channel === 'acks')).toBe(true);

    isSlow = true;
    place.at += 600;
    const last = await place.give(other.id, renew('b1'));
    void place.transport.deliver(place.transport.onWay.findIndex(({ channel }) => channel === 'acks'));
    await turn();
    await place.pass(400);
    expect(told()).toBe(1);

    slow.resolve();
    place.transport.prompt = true;
    while (place.transport.onWay.length > 0) await place.transport.deliver();
    await expect.poll(async () => [await place.stateOf(id), await place.stateOf(last)]).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    expect(deeds.begun).toEqual(['renew a1']);
  });

  test('a box that ends while it works: what can be done twice is begun again, anything else never', async () => {
    const place = await makePlace();
    const { box, deeds } = await place.box();
    await place.transport.connect(box.id);
    deeds.gate = new Promise(() => undefined);
    const once = await place.give(box.id, restart('a1'));
    await expect.poll(() => place.stateOf(once)).toBe('IN_PROGRESS');
    await box.crash();
    deeds.gate = Promise.resolve();
    await box.start();
    await place.transport.connect(box.id);
    await expect.poll(() => place.ledger.commands.get('acme', once)).toMatchObject({ state: 'FAILED', reason: 'command_interrupted' });

    deeds.gate = new Promise(() => undefined);
    const again = await place.give(box.id, renew('b1'));
    await expect.poll(() => place.stateOf(again)).toBe('IN_PROGRESS');
    await box.crash();
    deeds.gate = Promise.resolve();
    await box.start();
    await place.transport.connect(box.id);
    await expect.poll(() => place.stateOf(again)).toBe('SUCCEEDED');
    expect(deeds.begun).toEqual(['restart a1', 'renew b1', 'renew b1']);
  });

  test('what a box did and could not tell before it left is told by the key with which it enrolled anew', async () => {
    const place = await makePlace();
    const { box, deeds } = await place.box();
    const gate = Promise.withResolvers<void>();
    deeds.gate = gate.promise;
    await place.transport.connect(box.id);
    const id = await place.give(box.id, restart('a1'));
    await expect.poll(() => place.stateOf(id)).toBe('IN_PROGRESS');
    place.transport.cut(box.id);
    gate.resolve();
    await expect.poll(() => box.journal.untold()).toHaveLength(1);
    await box.crash();

    box.replaceKey();
    place.known.set(box.id, { org: 'acme', signingKeys: [box.keyHash] });
    await box.start();
    await place.transport.connect(box.id);
    await expect.poll(() => place.stateOf(id)).toBe('SUCCEEDED');
    await expect.poll(() => box.journal.untold()).toEqual([]);
    expect(deeds.done).toEqual(['restart a1']);

    // Told by the next key once more, where a ledger has lost it.
    await box.crash();
    box.replaceKey();
    place.known.set(box.id, { org: 'acme', signingKeys: [box.keyHash] });
    box.journal.tellAgain();
    await box.start();
    await place.transport.connect(box.id);
    await expect.poll(() => box.journal.untold()).toEqual([]);
    const { items } = await place.ledger.receipts.list('acme', { command: id, limit: 10 });
    expect(items.map(({ state }) => state)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
  });

  test('a KMS that is away: it is sent when the KMS is back', async () => {
    const kms = await testKms('software');
    const place = await LedgerPlace.make(kms.client, await freshStore());
    const { box } = await place.box();
    await place.transport.connect(box.id);
    await kms.stop();
    const id = await place.give(box.id, renew('a1'));
    await place.pass(1000);
    expect(await place.stateOf(id)).toBe('QUEUED');
    await kms.start();
    await place.pass(10 * MINUTE);
    await expect.poll(() => place.stateOf(id)).toBe('SUCCEEDED');
  });

  test('a box whose disk is an older one gets commands of a new incarnation, and what it had begun is not begun again', async () => {
    const place = await makePlace();
    const { box, deeds } = await place.box();
    await place.transport.connect(box.id);
    const putBack = box.copyDisk();
    const first = await place.give(box.id, renew('a1'));
    await expect.poll(() => place.stateOf(first)).toBe('SUCCEEDED');
    const recorded = place.transport.sent.filter(({ channel }) => channel === 'commands').at(-1);
    deeds.gate = new Promise(() => undefined);
    const begun = await place.give(box.id, restart('b1'));
    await expect.poll(() => place.stateOf(begun)).toBe('IN_PROGRESS');
    await box.crash();
    putBack();
    deeds.gate = Promise.resolve();
    await box.start();
    await place.transport.connect(box.id);
    await expect.poll(() => place.stateOf(begun)).toBe('TIMED_OUT');
    const next = await place.give(box.id, renew('c1'));
    await expect.poll(() => place.ledger.commands.get('acme', next)).toMatchObject({ state: 'SUCCEEDED', incarnation: 2, sequence: 1 });
    if (recorded) place.transport.inject(recorded);
    const last = await place.give(box.id, renew('d1'));
    await expect.poll(() => place.stateOf(last)).toBe('SUCCEEDED');
    expect(deeds.begun).toEqual(['renew a1', 'restart b1', 'renew c1', 'renew d1']);
  });
});

test('a ledger that was restored from an old backup: nothing is lost, nothing is done twice, and all ends in the right state', async () => {
  const kms = await testKms('software');
  const folder = await tempFolder();
  const [file, backup] = [join(folder, 'cloud.db'), join(folder, 'backup.db')];
  const place = await LedgerPlace.make(kms.client, { file });
  const { box, deeds } = await place.box();
  await place.transport.connect(box.id);
  const first = await place.give(box.id, renew('a1'));
  await expect.poll(() => place.stateOf(first)).toBe('SUCCEEDED');
  place.transport.cut(box.id);
  const second = await place.give(box.id, restart('b1'));
  await sql`PRAGMA wal_checkpoint(TRUNCATE)`.execute(place.store.db);
  await copyFile(file, backup);
  await place.transport.connect(box.id);
  const third = await place.give(box.id, restart('c1'));
  await expect.poll(() => place.stateOf(third)).toBe('SUCCEEDED');

  await box.crash();
  await place.restart({ file: backup });
  await expect(place.stateOf(third)).rejects.toMatchObject({ code: 'command_not_found' });
  const fresh = [await place.give(box.id, renew('d1')), await place.give(box.id, renew('e1'))];
  await box.start();
  await place.transport.connect(box.id);
  await expect.poll(() => Promise.all([second, ...fresh].map((id) => place.stateOf(id)))).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']);
  expect(deeds.begun).toEqual(['renew a1', 'restart b1', 'restart c1', 'renew d1', 'renew e1']);
  expect(await place.ledger.commands.get('acme', fresh[1] ?? '')).toMatchObject({ incarnation: 2 });
  // The box has told everything again, also what the ledger knows nothing of any more.
  const { items } = await place.ledger.receipts.list('acme', { limit: 20 });
  expect(items.map(({ command }) => command).sort()).toEqual([first, second, third, ...fresh].sort());
});

test('two control planes on one Postgres send each command once', async () => {
  const kms = await testKms('software');
  const address = { postgres: await postgres.database() };
  const place = await LedgerPlace.make(kms.client, address);
  const other = await place.second(address);
  const { box, deeds } = await place.box();
  for (let n = 0; n < 5; n++) await place.give(box.id, restart(`t${n}`));
  await place.transport.connect(box.id);
  await expect.poll(() => deeds.done.length).toBe(5);
  await Promise.all([place.ledger.look(), other.look()]);
  const { items } = await other.commands.list('acme', { limit: 10 });
  expect(items.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5]);
  const commands = place.transport.sent
    .filter(({ channel }) => channel === 'commands')
    .map(({ payload }) => decodeJwt(payload.toString()).jti);
  expect(commands).toEqual(items.map(({ id }) => id));

  // What a process claimed that ended before it sent, another one sends.
  place.transport.cut(box.id);
  const id = await place.give(box.id, restart('left'));
  await place.restart();
  await place.transport.connect(box.id);
  place.at += 10 * MINUTE;
  await other.look();
  await expect.poll(() => place.stateOf(id)).toBe('SUCCEEDED');

  // One that has no broker writes down what it is given, and leaves it to the others to send it.
  const mute = await place.second(address, { courier: false });
  place.transport.cut(box.id);
  place.at += 1;
  const given = await mute.commands.create('acme', mute.commands.newId(), ADA, { device: box.id, order: restart('mute') });
  await mute.look();
  await place.transport.connect(box.id);
  await other.look();
  await expect.poll(() => place.stateOf(given.id)).toBe('SUCCEEDED');
});

test('the API: a command is given, listed, read and cancelled by whom the table names; another org has no part in it', async () => {
  const kms = await testKms('software');
  const transport = new MemoryTransport();
  const deeds = new Deeds();
  const commandKeys = [await kms.client.call('signingKey', { use: 'commands' })];
  const box = new LinkedBox({ transport, commandKeys, executors: deeds.executors, now: Date.now });
  const boxes = { find: async (id: string) => (id === box.id ? { org: 'acme', signingKeys: [box.keyHash] } : undefined) };
  const cloud = await TestCloud.start(kms, undefined, { boxes: { boxes, courier: transport.courier() } });
  const operator = await cloud.issuer.token(LOCAL_OPERATOR, '');
  const ask: Record<
    string,
    (method: string, path: string, body?: object, headers?: Record<string, string>) => ReturnType<TestCloud['ask']>
  > = {};
  for (const id of ['acme', 'other']) {
    await cloud.ask(operator, 'POST', '/v1/orgs', { id, name: id, jurisdiction: 'CH' });
    const named = await cloud.ask(operator, 'POST', `/v1/orgs/${id}/first-admin`, { name: 'Ada', email: `ada@${id}.example` });
    const token = await cloud.issuer.token(named.body.id as string, id);
    ask[id] = (method, path, body, headers) => cloud.ask(token, method, `/v1/orgs/${id}${path}`, body, headers);
  }
  const { acme, other } = ask;
  if (!acme || !other) throw new Error('no orgs');
  const wanted = { device: box.id, order: renew('hall') };
  const key = { 'idempotency-key': 'once-and-no-more' };
  const given = await acme('POST', '/commands', wanted, key);
  expect(given).toMatchObject({ status: 201, body: { ...wanted, state: 'QUEUED', urgent: false, incarnation: null, reason: null } });
  expect(given.headers.get('location')).toBe(`/v1/orgs/acme/commands/${given.body.id}`);
  expect((await acme('POST', '/commands', wanted, key)).body.id).toBe(given.body.id);
  const second = await acme('POST', '/commands', { device: box.id, order: restart('hall') });
  expect(await acme('POST', `/commands/${second.body.id}/cancel`)).toMatchObject({ status: 200, body: { state: 'CANCELED' } });
  expect(await acme('POST', `/commands/${second.body.id}/cancel`)).toMatchObject({ status: 409, body: { code: 'command_settled' } });

  for (const refused of [
    { device: newId('box'), order: renew('hall') },
    { device: 'box_none', order: renew('hall') },
    { device: box.id, order: { kind: 'format-disk', body: {} } },
    { device: box.id, order: { kind: 'sync', body: { tenant: 'hall' } } },
    { device: box.id, order: { kind: 'renew-lease', body: {} } },
    { ...wanted, state: 'SUCCEEDED' },
  ]) {
    expect([400, 404], JSON.stringify(refused)).toContain((await acme('POST', '/commands', refused)).status);
  }
  expect(await other('POST', '/commands', wanted)).toMatchObject({ status: 404, body: { code: 'device_not_found' } });
  expect(await other('GET', `/commands/${given.body.id}`)).toMatchObject({ status: 404, body: { code: 'command_not_found' } });
  expect(await other('POST', `/commands/${given.body.id}/cancel`)).toMatchObject({ status: 404 });

  await box.start();
  await transport.connect(box.id);
  await expect.poll(async () => (await acme('GET', `/commands/${given.body.id}`)).body.state).toBe('SUCCEEDED');
  expect(deeds.done).toEqual(['renew hall']);
  expect((await acme('GET', `/commands?device=${box.id}&limit=1`)).body).toMatchObject({
    items: [{ id: given.body.id }],
    next: given.body.id,
  });
  expect((await acme('GET', `/commands?cursor=${given.body.id}`)).body).toMatchObject({ items: [{ id: second.body.id }], next: null });
  expect((await other('GET', '/commands')).body).toEqual({ items: [], next: null });
  const receipts = await acme('GET', `/receipts?command=${given.body.id}`);
  expect(receipts.body).toMatchObject({ items: [{ command: given.body.id, device: box.id, state: 'SUCCEEDED' }] });
  const [receipt] = receipts.body.items as { id: string }[];
  expect(await acme('GET', `/receipts/${receipt?.id}`)).toMatchObject({ status: 200, body: receipts.body.items[0] });
  expect(await other('GET', `/receipts/${receipt?.id}`)).toMatchObject({ status: 404, body: { code: 'receipt_not_found' } });
  const log = (await acme('GET', '/audit?limit=100')).body.items as { operation: string }[];
  expect(log.filter(({ operation }) => operation === 'commands.cancel')).toMatchObject([
    { target: second.body.id, outcome: 'command_settled' },
    { target: second.body.id, outcome: 'done' },
  ]);
  await box.crash();
});
