import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BoxState } from '../../cloud/fleet/desired/box-state.ts';
import type { DesiredStates } from '../../cloud/fleet/desired/desired-states.ts';
import type { StoreAddress } from '../../cloud/store/open-store.ts';
import type { CameraFields } from '../../shared/fleet/desired-camera.ts';
import { newId } from '../../shared/ids/ids.ts';
import { CloudPlace, IN_OURS } from '../helpers/cloud-place.ts';
import { type ConvergingBox, DesiredPlace } from '../helpers/desired-place.ts';
import { startPostgres, type TestPostgres } from '../helpers/postgres.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const PATIENTLY = { timeout: 20_000, interval: 20 };
const POLICY = { sightingsDays: 30, unmatchedTtlMs: 10_000, matchThreshold: null };
const DOOR: CameraFields = { slug: 'door', title: null, url: 'rtsp://10.0.0.1/1', fps: 5, tiles: null, credential: null };

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);
afterAll(() => postgres.stop());

/** Adds a camera. @returns its id */
async function add(states: DesiredStates, device: string, tenant: string, fields: Partial<CameraFields> = {}): Promise<string> {
  return (await states.cameras.create('acme', tenant, newId('record'), { ...DOOR, ...fields, device })).id;
}

/** Waits until the box says that it has taken what it should have. */
async function followed(place: DesiredPlace, { id }: ConvergingBox): Promise<BoxState> {
  const state = (): Promise<BoxState> => place.states.get('acme', id);
  await expect
    .poll(async () => {
      const { desired, reported } = await state();
      return desired !== null && reported?.state.version?.id === desired.version.id;
    }, PATIENTLY)
    .toBe(true);
  return await state();
}

const camerasOf = ({ model }: ConvergingBox, tenant: string): Record<string, string> =>
  Object.fromEntries(model.tenants.find(({ id }) => id === tenant)?.cameras?.map(({ id, settings }) => [id, settings.slug]) ?? []);

describe.each(['SQLite', 'Postgres'])('what boxes should have, on %s', (database) => {
  const freshStore = async (): Promise<StoreAddress> =>
    database === 'SQLite' ? { file: join(await tempFolder(), 'cloud.db') } : { postgres: await postgres.database() };

  test('a box that comes for the first time gets its tenants and cameras, and follows every change', async () => {
    const place = await DesiredPlace.make(await freshStore());
    const box = await place.box('hall');
    const [door, bar] = [await add(place.states, box.id, 'hall'), await add(place.states, box.id, 'hall', { slug: 'bar' })];
    // It is no tenant of this box.
    await add(place.states, box.id, 'club');
    expect(await place.states.get('acme', box.id)).toEqual({ device: box.id, desired: null, problem: null, reported: null });
    await box.connect();
    const first = await followed(place, box);
    expect(first).toMatchObject({
      desired: { version: { incarnation: 1, sequence: 1 }, state: { tenants: [{ id: 'hall', policy: POLICY }], removedCameras: [] } },
      problem: null,
    });
    await expect.poll(() => camerasOf(box, 'hall'), PATIENTLY).toEqual({ [door]: 'door', [bar]: 'bar' });
    await expect
      .poll(async () => (await place.states.get('acme', box.id)).reported?.state, PATIENTLY)
      .toMatchObject({
        tenants: [{ id: 'hall', state: 'applied', reason: null }],
        cameras: [door, bar].toSorted().map((id) => ({ tenant: 'hall', id, state: 'applied', reason: null })),
        modelSet: 'embedded',
        boxVersion: '0.1.0',
      });

    await place.states.cameras.change('acme', 'hall', door, { fps: 8 });
    await place.states.cameras.remove('acme', 'hall', bar);
    await place.tenants.change('acme', 'hall', {
      policies: { sightingsDays: 7, unmatchedTtlMs: 5000, matchThreshold: 0.5, twoPersonRule: true },
    });
    await place.states.wakeAll('acme');
    await place.org.assign(box.device, { tenant: 'club' });
    await place.states.wake(box.id);
    await place.pass(0);
    await expect.poll(() => camerasOf(box, 'hall'), PATIENTLY).toEqual({ [door]: 'door' });
    await expect
      .poll(() => box.model.tenants, PATIENTLY)
      .toMatchObject([
        {
          id: 'hall',
          policy: { sightingsDays: 7, unmatchedTtlMs: 5000, matchThreshold: 0.5 },
          cameras: [{ id: door, settings: { fps: 8 } }],
        },
        { id: 'club', policy: POLICY, cameras: [{ settings: { slug: 'door' } }] },
      ]);
    expect((await followed(place, box)).desired?.state.removedCameras).toEqual([{ tenant: 'hall', id: bar }]);
    expect((await followed(place, box)).desired?.version.sequence).toBeGreaterThan(1);

    // Nobody assigns it any more: its files stay, closed.
    await place.org.kms.client.call('endAssignment', { org: 'acme', tenant: 'club', device: box.id });
    await place.states.wake(box.id);
    await expect.poll(() => box.model.tenants[1], PATIENTLY).toMatchObject({ id: 'club', dropped: true });
    await expect
      .poll(async () => (await place.states.get('acme', box.id)).reported?.state.tenants, PATIENTLY)
      .toContainEqual({ id: 'club', state: 'closed', reason: null });
    // It is assigned again, and nobody says a word.
    await followed(place, box);
    await place.org.assign(box.device, { tenant: 'club' });
    await place.pass(7 * 3_600_000);
    await expect.poll(() => box.model.tenants[1], PATIENTLY).toMatchObject({ id: 'club', dropped: false });
  }, 60_000);

  test('models that are chosen for a box, and taken back, are in the next version, and the box says how far it is', async () => {
    const place = await DesiredPlace.make(await freshStore());
    const box = await place.box('hall');
    await box.connect();
    expect((await followed(place, box)).desired?.state).not.toHaveProperty('models');
    const models = async () => {
      const { desired, reported } = await place.states.get('acme', box.id);
      return [desired?.state.models, reported?.state.modelSet, reported?.state.models?.state];
    };
    await expect.poll(models, PATIENTLY).toEqual([undefined, 'embedded', 'applied']);
    await place.choose(box.id, 'scrfd-10g');
    await expect.poll(models, PATIENTLY).toEqual(['scrfd-10g', 'scrfd-10g', 'applied']);
    // Away, without a tenant, and restarted, it is told the same.
    await box.crash();
    await place.org.kms.client.call('endAssignment', { org: 'acme', tenant: 'hall', device: box.id });
    await place.choose(box.id, 'antelopev2');
    box.model.models = { ...box.model.models, fixed: true };
    await box.connect();
    await expect.poll(models, PATIENTLY).toEqual(['antelopev2', 'scrfd-10g', 'fixed']);
    box.model.models = { ...box.model.models, fixed: false };
    await place.choose(box.id, null);
    await expect.poll(models, PATIENTLY).toEqual([undefined, 'embedded', 'applied']);
    expect(box.model.models.chosen).toBeNull();
  }, 60_000);

  test('a box that was away gets what it missed, and goes on without a network with what it has', async () => {
    const place = await DesiredPlace.make(await freshStore());
    const box = await place.box('hall');
    const door = await add(place.states, box.id, 'hall');
    await box.connect();
    await expect.poll(() => camerasOf(box, 'hall'), PATIENTLY).toEqual({ [door]: 'door' });
    await followed(place, box);
    await box.crash();
    await place.states.cameras.remove('acme', 'hall', door);
    const bar = await add(place.states, box.id, 'hall', { slug: 'bar' });
    await place.pass(0);

    // Somebody has changed it on the box; it was off, and has no network.
    await box.model.executors['remove-camera']({ kind: 'remove-camera', tenant: 'hall', camera: door });
    box.start();
    await expect.poll(() => camerasOf(box, 'hall'), PATIENTLY).toEqual({ [door]: 'door' });
    await box.crash();
    await box.connect();
    await expect.poll(() => camerasOf(box, 'hall'), PATIENTLY).toEqual({ [bar]: 'bar' });
  }, 60_000);

  test('what is lost on the way is sent again, and a change by another process as well', async () => {
    const address = await freshStore();
    const place = await DesiredPlace.make(address);
    const box = await place.box('hall');
    await box.connect();
    await followed(place, box);
    const second = await place.second(address);
    await place.transport.untilQuiet();
    place.transport.prompt = false;
    const door = await add(second, box.id, 'hall');
    const sent = (): number => place.transport.sent.filter(({ channel }) => channel === 'desired').length;
    const before = sent();
    for (let turn = 1; turn <= 3; turn += 1) {
      await place.pass(0);
      await expect.poll(sent, { ...PATIENTLY, message: `turn ${turn}` }).toBe(before + turn);
      await place.pass(1);
      expect(sent(), 'not at once').toBe(before + turn);
      while (place.transport.onWay.length > 0) place.transport.drop(0);
      place.at += 10_000;
    }
    place.transport.prompt = true;
    await place.pass(0);
    await expect.poll(() => camerasOf(box, 'hall'), PATIENTLY).toEqual({ [door]: 'door' });
    await followed(place, box);
    // One that is there is not sent again, and one that does not answer is left alone in the end.
    const then = sent();
    await place.pass(3_600_000);
    expect(sent()).toBe(then);
    await box.crash();
    await second.cameras.remove('acme', 'hall', door);
    for (let turn = 0; turn < 30; turn += 1) await place.pass(600_000);
    expect(sent() - then).toBeLessThan(12);
    await box.connect();
    await expect.poll(() => camerasOf(box, 'hall'), PATIENTLY).toEqual({});
  }, 60_000);

  test('more than fits into one message is refused, or at last not sent, and said', async () => {
    const place = await DesiredPlace.make(await freshStore());
    const box = await place.box('hall');
    const long = { title: 'x'.repeat(100), url: `rtsp://10.0.0.1/${'x'.repeat(480)}` };
    const refusal = async (): Promise<unknown> => {
      for (let n = 0; n < 64; n += 1) await add(place.states, box.id, 'hall', { ...long, slug: `camera-${n}` });
      return undefined;
    };
    await expect(refusal()).rejects.toMatchObject({ code: 'desired_too_large' });
    const { items } = await place.states.cameras.list('acme', 'hall', { limit: 200 });
    expect(items.length).toBeGreaterThan(40);
    await box.connect();
    await expect.poll(() => Object.keys(camerasOf(box, 'hall')).length, PATIENTLY).toBe(items.length);
    const rows = Array.from({ length: 64 }, (_, n) => ({
      ...{ id: newId('record'), org: 'acme', tenant: 'hall', device: box.id, slug: `more-${n}`, version: 1, created_at: 0 },
      settings: JSON.stringify({ ...DOOR, ...long, slug: undefined }),
    }));
    await place.store.db.insertInto('cameras').values(rows).execute();
    await place.states.wake(box.id);
    await expect.poll(async () => (await place.states.get('acme', box.id)).problem, PATIENTLY).toBe('desired_too_large');
    await place.store.db.deleteFrom('cameras').where('slug', 'like', 'more-%').execute();
    await place.states.wake(box.id);
    await expect.poll(async () => (await place.states.get('acme', box.id)).problem, PATIENTLY).toBeNull();
    expect(Object.keys(camerasOf(box, 'hall'))).toHaveLength(items.length);
  }, 60_000);
});

test('a database that is restored from a backup begins anew, so that a box takes what comes from it', async () => {
  const folder = await tempFolder();
  const file = join(folder, 'cloud.db');
  const place = await DesiredPlace.make({ file });
  const box = await place.box('hall');
  await box.connect();
  await followed(place, box);
  await place.restart();
  await place.store.close();
  await copyFile(file, join(folder, 'backup.db'));
  await place.restart({ file });
  const first = await add(place.states, box.id, 'hall');
  await expect.poll(() => camerasOf(box, 'hall'), PATIENTLY).toEqual({ [first]: 'door' });
  const { desired } = await followed(place, box);

  await box.crash();
  // Nothing that the box has said before comes to what is restored.
  await place.transport.untilQuiet();
  await place.restart({ file: join(folder, 'backup.db') });
  // As many versions as before, of something else.
  const other = await add(place.states, box.id, 'hall', { slug: 'stage' });
  const sequence = async (): Promise<number | undefined> => (await place.states.get('acme', box.id)).desired?.version.sequence;
  await expect.poll(sequence, PATIENTLY).toBe(desired?.version.sequence);
  await box.connect();
  await expect.poll(() => camerasOf(box, 'hall'), PATIENTLY).toMatchObject({ [other]: 'stage' });
  const after = await followed(place, box);
  expect(after.desired?.version.incarnation).toBe((desired?.version.incarnation ?? 0) + 1);
}, 60_000);

test('the power is cut between any two steps: the box comes to the same', async () => {
  const place = await DesiredPlace.make({ file: join(await tempFolder(), 'cloud.db') });
  const [one, two] = [await place.box('hall', 'club'), await place.box('hall', 'club')];
  for (const box of [one, two]) {
    for (const slug of ['door', 'bar', 'stage']) await add(place.states, box.id, 'hall', { slug });
    await add(place.states, box.id, 'club', { slug: 'gate' });
    await place.choose(box.id, 'scrfd-10g');
  }
  await one.connect();
  const settings = (box: ConvergingBox) =>
    box.model.tenants.map(({ id, policy, cameras }) => ({
      id,
      policy,
      cameras: cameras?.map((camera) => camera.settings.slug).toSorted(),
    }));
  await expect.poll(() => settings(one).flatMap(({ cameras }) => cameras), PATIENTLY).toHaveLength(4);
  await expect.poll(() => one.model.models.chosen, PATIENTLY).toBe('scrfd-10g');
  for (let crashes = 0; crashes < 7; crashes += 1) {
    two.stepsLeft = 1;
    await two.connect();
    // A step a start, and not one that was done before.
    await expect.poll(() => two.stepsLeft, PATIENTLY).toBe(0);
    await two.crash();
  }
  expect(settings(two)).toEqual(settings(one));
  expect(two.model.models).toEqual(one.model.models);
  two.stepsLeft = 0;
  await two.connect();
  const state = await followed(place, two);
  expect(state.reported?.state.cameras.map((camera) => camera.state)).toEqual(['applied', 'applied', 'applied', 'applied']);
}, 60_000);

test('one step that fails holds up no other, and is told with its code until it works', async () => {
  const place = await DesiredPlace.make({ file: join(await tempFolder(), 'cloud.db') });
  const box = await place.box('hall', 'club');
  const [door, bar, gate] = [
    await add(place.states, box.id, 'hall'),
    await add(place.states, box.id, 'hall', { slug: 'bar', credential: 'bar-camera' }),
    await add(place.states, box.id, 'hall', { slug: 'gate' }),
  ];
  box.refusedCredentials.set('bar-camera', 'camera_credential_missing');
  box.broken.add(door).add('club');
  await box.connect();
  const items = async () => {
    const { tenants = [], cameras = [] } = (await place.states.get('acme', box.id)).reported?.state ?? {};
    return Object.fromEntries([...tenants, ...cameras].map(({ id, state, reason }) => [id, [state, reason]]));
  };
  await expect.poll(items, PATIENTLY).toEqual({
    hall: ['applied', null],
    club: ['failed', 'storage_failed'],
    [door]: ['failed', 'storage_failed'],
    [bar]: ['failed', 'camera_credential_missing'],
    [gate]: ['applied', null],
  });
  box.broken.clear();
  box.refusedCredentials.clear();
  await expect.poll(items, PATIENTLY).toEqual({
    hall: ['applied', null],
    club: ['applied', null],
    [door]: ['applied', null],
    [bar]: ['applied', null],
    [gate]: ['applied', null],
  });
}, 60_000);

test('models by the API: a name or null, by a version, and for a box of the org', async () => {
  const place = await CloudPlace.make();
  const [admin, technician] = [await place.account('ours', 'org:admin'), await place.account('ours', 'technician')];
  const path = `/v1/orgs/ours/devices/${IN_OURS.devices}`;
  const ask = (method: string, body?: object, headers?: Record<string, string>) =>
    place.cloud.ask(technician.token, method, path, body, headers);
  for (const models of ['../models', '/etc/passwd', 'a b', '__proto__', '', 'x'.repeat(64), 7, ['embedded'], { set: 'embedded' }]) {
    expect(await ask('PATCH', { models }), String(models)).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  }
  expect(await ask('GET')).toMatchObject({ status: 200, body: { models: null, version: 1 } });
  expect(await ask('PATCH', { models: 'scrfd-10g' }, { 'if-match': '"1"' })).toMatchObject({
    status: 200,
    body: { name: 'rack', models: 'scrfd-10g', version: 2 },
  });
  expect(await place.lastAudit()).toMatchObject({ operation: 'devices.change', outcome: 'done', actor: technician.id });
  expect(await ask('PATCH', { models: null }, { 'if-match': '"1"' })).toMatchObject({ status: 412 });
  expect(await ask('PATCH', { name: 'Rack 2' })).toMatchObject({ status: 200, body: { name: 'Rack 2', models: 'scrfd-10g' } });
  expect(await ask('PATCH', { models: null })).toMatchObject({ status: 200, body: { name: 'Rack 2', models: null, version: 4 } });
  const theirs = await place.account('theirs', 'org:admin');
  expect(await place.cloud.ask(theirs.token, 'PATCH', path, { models: 'embedded' })).toMatchObject({ status: 403 });
  const elsewhere = path.replace('ours', 'theirs');
  expect(await place.cloud.ask(theirs.token, 'PATCH', elsewhere, { models: 'embedded' })).toMatchObject({ status: 404 });
  expect(await place.cloud.ask(admin.token, 'GET', path)).toMatchObject({ body: { models: null } });
}, 60_000);

test('cameras by the API: no credential comes in, a change is based on a version, and what is asked for is there', async () => {
  const place = await CloudPlace.make();
  const [admin, hall] = [await place.account('ours', 'org:admin'), await place.account('ours', 'tenant:admin', 'hall')];
  const path = '/v1/orgs/ours/tenants/hall/cameras';
  const ask = (method: string, to: string, body?: object, headers?: Record<string, string>) =>
    place.cloud.ask(admin.token, method, to, body, headers);
  const device = IN_OURS.devices;
  for (const url of [
    'rtsp://user:pass@10.0.0.1/1',
    'rtsp://user@10.0.0.1/1',
    'rtsps://:pass@10.0.0.1',
    'http://10.0.0.1/1',
    '/etc/passwd',
  ]) {
    const { status, body } = await ask('POST', path, { device, slug: 'bar', url });
    expect([status, body.code], url).toEqual([400, 'invalid_request']);
    expect(JSON.stringify(body), url).toMatch(/stay on the box/);
    expect(JSON.stringify(body), url).not.toContain('pass@');
  }
  const made = await ask('POST', path, { device, slug: 'bar', url: 'rtsp://10.0.0.1/a@b?c=d' });
  expect(made).toMatchObject({ status: 201, body: { slug: 'bar', fps: 5, credential: null, version: 1 } });
  const one = `${path}/${made.body.id}`;
  expect(await ask('POST', path, { device, slug: 'bar', url: 'rtsp://10.0.0.2/' })).toMatchObject({
    status: 409,
    body: { code: 'conflict' },
  });
  expect(await ask('PATCH', one, { credential: 'bar' }, { 'if-match': '"1"' })).toMatchObject({
    status: 200,
    body: { version: 2, credential: 'bar' },
  });
  expect(await ask('PATCH', one, { fps: 8 }, { 'if-match': '"1"' })).toMatchObject({ status: 412 });
  expect(await ask('PATCH', one, { slug: 'door' })).toMatchObject({ status: 409 });
  expect((await place.cloud.ask(hall.token, 'GET', one)).headers.get('etag')).toBe('"2"');
  expect(await ask('GET', '/v1/orgs/ours/tenants/club/cameras')).toMatchObject({ body: { items: [] } });
  expect(await ask('GET', `/v1/orgs/ours/tenants/club/cameras/${made.body.id}`)).toMatchObject({ status: 404 });
  const elsewhere = `box_${'b'.repeat(26)}`;
  expect(await ask('POST', path, { device: elsewhere, slug: 'gate', url: 'rtsp://10.0.0.1/' })).toMatchObject({
    body: { code: 'device_not_found' },
  });
  expect(await ask('POST', '/v1/orgs/ours/tenants/none/cameras', { device, slug: 'gate', url: 'rtsp://10.0.0.1/' })).toMatchObject({
    body: { code: 'tenant_not_found' },
  });
  expect(await ask('DELETE', one)).toMatchObject({ status: 204 });
  expect(await ask('DELETE', one)).toMatchObject({ status: 404, body: { code: 'record_not_found' } });
  expect(await place.lastAudit()).toMatchObject({ operation: 'cameras.remove', outcome: 'record_not_found' });
  expect(await ask('GET', `/v1/orgs/ours/devices/${device}/state`)).toMatchObject({ status: 200, body: { desired: null, reported: null } });
  expect(await ask('GET', `/v1/orgs/ours/devices/${elsewhere}/state`)).toMatchObject({ status: 404 });
}, 60_000);
