import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ANSWERING_CAMERA } from '../helpers/api-box.ts';
import { type Answer, type Asking, startTestApi, type TestApi } from '../helpers/test-api.ts';
import { consentFor, sightingOf } from '../helpers/vault-guests.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
}, 60_000);
afterAll(() => api.stop());

const north = (method: string, path: string, asking: Asking = {}): Promise<Answer> =>
  api.ask(method, `/v1/tenants/north/${path}`, { as: api.admin, ...asking });
const idOf = ({ body }: Answer): string => (body as { id: string }).id;
const codeOf = ({ status, body }: Answer): [number, string] => [status, (body as { code: string }).code];
const addCustomer = async (name: string): Promise<string> =>
  idOf(await north('POST', 'customers', { json: { name, consent: consentFor() } }));
const count = async (path: string): Promise<number> =>
  ((await north('GET', `${path}?limit=200`)).body as { items: unknown[] }).items.length;

describe('a repeated request', () => {
  test('makes nothing twice, and answers as the first did', async () => {
    const asking = { json: { name: 'Grace', consent: consentFor() }, headers: { 'idempotency-key': randomUUID() } };
    const before = await count('customers');
    const first = await north('POST', 'customers', asking);
    const second = await north('POST', 'customers', asking);
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body).toEqual(first.body);
    expect(second.headers.get('etag')).toBe(first.headers.get('etag'));
    expect(await count('customers')).toBe(before + 1);
  });

  test('at the same time is told to wait, or makes nothing twice', async () => {
    const asking = { json: { title: 'Foyer' }, headers: { 'idempotency-key': randomUUID() } };
    const before = await count('rooms');
    const answers = await Promise.all(Array.from({ length: 5 }, () => north('POST', 'rooms', asking)));
    expect(answers.map(({ status }) => status).every((status) => status === 201 || status === 409)).toBe(true);
    expect(await count('rooms')).toBe(before + 1);
  });

  test('with another body is refused', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    expect((await north('POST', 'rooms', { json: { title: 'Foyer' }, headers })).status).toBe(201);
    expect(codeOf(await north('POST', 'rooms', { json: { title: 'Loft' }, headers }))).toEqual([422, 'idempotency_mismatch']);
  });

  test('of somebody else, or to another place, is a request of its own', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const first = await north('POST', 'rooms', { json: { title: 'Foyer' }, headers });
    const other = await north('POST', 'rooms', { json: { title: 'Foyer' }, headers, as: api.key('north') });
    const south = await api.ask('POST', '/v1/tenants/south/rooms', { json: { title: 'Foyer' }, headers, as: api.admin });
    expect(new Set([first, other, south].map(idOf)).size).toBe(3);
  });

  test('that failed is tried again', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const json = { slug: 'twice', url: ANSWERING_CAMERA };
    const first = await north('POST', 'cameras', { json });
    expect(codeOf(await north('POST', 'cameras', { json, headers }))).toEqual([409, 'conflict']);
    await north('DELETE', `cameras/${idOf(first)}`);
    expect((await north('POST', 'cameras', { json, headers })).status).toBe(201);
  });

  test('leaves nothing of a person in the records of the box', async () => {
    const key = randomUUID();
    await north('POST', 'customers', { json: { name: 'Zaphod Beeblebrox', consent: consentFor() }, headers: { 'idempotency-key': key } });
    const files = await Promise.all(['', '-wal'].map((end) => readFile(`${api.dataDir}/appliance.db${end}`, 'latin1')));
    expect(files.join('')).toContain('api_keys');
    for (const text of ['Zaphod', key]) expect(files.join('')).not.toContain(text);
  });
});

describe('a change', () => {
  test('of a version that is no longer there is refused, for customers and records alike', async () => {
    const customer = `customers/${await addCustomer('Ada')}`;
    const room = `rooms/${idOf(await north('POST', 'rooms', { json: { title: 'Hall' } }))}`;
    for (const [path, method, json] of [
      [customer, 'PATCH', { name: 'Ada L.' }],
      [room, 'PUT', { title: 'Great hall' }],
    ] as const) {
      const etag = (await north('GET', path)).headers.get('etag') ?? '';
      expect(etag).toMatch(/^"\d+"$/);
      const changed = await north(method, path, { json, headers: { 'if-match': etag } });
      expect(changed.status).toBe(200);
      expect(changed.headers.get('etag')).not.toBe(etag);
      expect(codeOf(await north(method, path, { json, headers: { 'if-match': etag } }))).toEqual([412, 'version_conflict']);
      expect(codeOf(await north('DELETE', path, { headers: { 'if-match': etag } }))).toEqual([412, 'version_conflict']);
      expect(codeOf(await north(method, path, { json, headers: { 'if-match': 'W/"1"' } }))).toEqual([400, 'invalid_request']);
      expect((await north(method, path, { json, headers: { 'if-match': '*' } })).status).toBe(200);
      expect((await north('DELETE', path)).status).toBe(204);
      expect((await north('GET', path)).status).toBe(404);
    }
  });

  test('with a field that does not exist is refused, and the field is named', async () => {
    const answer = await north('POST', 'rooms', { json: { title: 'Hall', colour: 'red' } });
    expect(codeOf(answer)).toEqual([400, 'invalid_request']);
    expect(JSON.stringify(answer.body)).toContain('colour');
    expect(codeOf(await north('GET', 'rooms?page=2'))).toEqual([400, 'invalid_request']);
  });

  test('of a camera leaves what it does not name', async () => {
    const made = await north('POST', 'cameras', {
      json: { slug: 'kept', url: 'rtsp://user:secret@camera.example/1', fps: 12, title: 'Door' },
    });
    const changed = await north('PATCH', `cameras/${idOf(made)}`, { json: { title: 'Front door' } });
    expect(changed.body).toMatchObject({ slug: 'kept', fps: 12, title: 'Front door', address: 'rtsp://camera.example/1' });
    for (const url of ['/etc/passwd', 'file:///etc/passwd', 'http://127.0.0.1/', 'concat:a|b', 'rtsp:']) {
      expect(codeOf(await north('POST', 'cameras/test', { json: { url } })), url).toEqual([400, 'invalid_request']);
    }
  });
});

test('a camera stands in a room that is there, or in none', async () => {
  const missing = `rec_${'a'.repeat(26)}`;
  const roomId = idOf(await north('POST', 'rooms', { json: { title: 'Foyer' } }));
  const settings = { slug: 'in-a-room', url: 'rtsp://camera.example/1' };
  expect(codeOf(await north('POST', 'cameras', { json: { ...settings, roomId: missing } }))).toEqual([404, 'record_not_found']);
  const camera = `cameras/${idOf(await north('POST', 'cameras', { json: { ...settings, roomId } }))}`;
  expect((await north('PATCH', camera, { json: { fps: 3 } })).body).toMatchObject({ roomId });
  expect(codeOf(await north('PATCH', camera, { json: { roomId: missing } }))).toEqual([404, 'record_not_found']);
  expect((await north('PATCH', camera, { json: { roomId: null } })).body).toMatchObject({ roomId: null, fps: 3 });
});

test('a room that is removed leaves nothing behind at its cameras and events', async () => {
  const [gone, stays] = [
    idOf(await north('POST', 'rooms', { json: { title: 'Bar' } })),
    idOf(await north('POST', 'rooms', { json: { title: 'Hall' } })),
  ];
  const event = { title: 'Concert', startsAt: '2026-12-12T19:00:00Z', endsAt: '2026-12-12T22:00:00Z' };
  const inRoom = async (roomId: string, slug: string): Promise<readonly string[]> => [
    `cameras/${idOf(await north('POST', 'cameras', { json: { slug, url: 'rtsp://camera.example/1', fps: 3, roomId } }))}`,
    `events/${idOf(await north('POST', 'events', { json: { ...event, roomId } }))}`,
  ];
  const [camera = '', concert = ''] = await inRoom(gone, 'bar');
  const others = await inRoom(stays, 'hall');
  expect((await north('DELETE', `rooms/${gone}`)).status).toBe(204);
  expect((await north('GET', camera)).body).toMatchObject({ slug: 'bar', fps: 3, roomId: null });
  const { id: _, version: __, ...left } = (await north('GET', concert)).body as Record<string, unknown>;
  expect(left, 'can be sent back as it is').toEqual(event);
  for (const other of others) expect((await north('GET', other)).body).toMatchObject({ roomId: stays });
});

test('what refers to something refers to what is there', async () => {
  const customerId = await addCustomer('Ada');
  const other = await addCustomer('Bob');
  const missing = `rec_${'a'.repeat(26)}`;
  const event = { title: 'Concert', startsAt: '2026-12-12T19:00:00Z', endsAt: '2026-12-12T22:00:00Z' };
  expect(codeOf(await north('POST', 'events', { json: { ...event, roomId: missing } }))).toEqual([404, 'record_not_found']);
  expect(codeOf(await north('POST', 'attendees', { json: { eventId: missing, customerId } }))).toEqual([404, 'record_not_found']);
  const eventId = idOf(await north('POST', 'events', { json: event }));
  const nobody = `cus_${'a'.repeat(26)}`;
  expect(codeOf(await north('POST', 'attendees', { json: { eventId, customerId: nobody } }))).toEqual([404, 'customer_not_found']);
  const attendee = `attendees/${idOf(await north('POST', 'attendees', { json: { eventId, customerId } }))}`;
  expect(codeOf(await north('PUT', attendee, { json: { eventId, customerId: other } }))).toEqual([409, 'conflict']);
  expect((await north('DELETE', `customers/${customerId}`)).status).toBe(204);
  expect(codeOf(await north('GET', attendee)), 'it goes with the customer').toEqual([404, 'record_not_found']);
});

test('a customer whose consent is withdrawn is kept and told as such', async () => {
  const path = `customers/${await addCustomer('Ada')}`;
  expect((await north('DELETE', `${path}/consent`)).status).toBe(204);
  expect((await north('GET', path)).body).toMatchObject({ name: 'Ada', consentState: 'withdrawn' });
  expect((await north('PUT', `${path}/consent`, { json: consentFor() })).body).toMatchObject({ consentState: 'valid' });
});

test('lists come page by page and are searched by name', async () => {
  for (const name of ['Page One', 'Page Two', 'Page Three']) await addCustomer(name);
  const first = (await north('GET', 'customers?query=page&limit=2')).body as { items: { name: string }[]; next: string };
  const second = (await north('GET', `customers?query=page&limit=2&cursor=${first.next}`)).body as typeof first;
  const names = [...first.items, ...second.items].map(({ name }) => name);
  expect(names.toSorted()).toEqual(['Page One', 'Page Three', 'Page Two']);
  expect(second.next).toBeNull();
});

test('sightings name people only to those who may read people', async () => {
  const customerId = await addCustomer('Ada Seen');
  const seen = sightingOf(customerId, 'north');
  await api.box.tenants.vault('north').recordSighting(seen);
  api.box.keepShot('north', seen.id, Buffer.from('jpeg'));
  const list = async (as: string): Promise<unknown> =>
    ((await north('GET', `sightings?customerId=${customerId}`, { as })).body as { items: unknown[] }).items;
  expect(await list(api.key('north', ['sightings:read']))).toMatchObject([{ id: seen.id, customerId, name: null, hasPicture: true }]);
  expect(await list(api.key('north', ['sightings:read', 'people:read']))).toMatchObject([{ id: seen.id, name: 'Ada Seen' }]);
  const picture = await north('GET', `sightings/${seen.id}/picture`);
  expect([picture.headers.get('content-type'), picture.bytes.toString()]).toEqual(['image/jpeg', 'jpeg']);
  expect(codeOf(await api.ask('GET', `/v1/tenants/south/sightings/${seen.id}/picture`, { as: api.admin }))).toEqual([404, 'sighting_gone']);
  api.box.forgetShots();
  expect(codeOf(await north('GET', `sightings/${seen.id}/picture`))).toEqual([404, 'sighting_gone']);
});

test('a webhook tells its signing secret once', async () => {
  const asking = { json: { url: 'https://hooks.example.org/' }, headers: { 'idempotency-key': randomUUID() } };
  const made = await north('POST', 'webhooks', asking);
  expect(made.body).toMatchObject({ secret: 'whsec_shown-once', active: true, version: 1 });
  expect((await north('POST', 'webhooks', asking)).body).toMatchObject({ id: idOf(made), secret: null });
  expect(JSON.stringify((await north('GET', 'webhooks')).body)).not.toContain('whsec');
  expect(codeOf(await north('POST', 'webhooks', { json: { url: 'http://localhost/' } }))).toEqual([422, 'webhook_target_refused']);
});

test('usage is told for days that make sense', async () => {
  const { status, body } = await north('GET', 'usage');
  expect([status, body]).toEqual([200, { days: expect.any(Array) }]);
  expect(codeOf(await north('GET', 'usage?from=2026-12-02&to=2026-12-01'))).toEqual([400, 'invalid_request']);
  expect(codeOf(await north('GET', 'usage?from=1970-01-01&to=2026-12-01'))).toEqual([400, 'invalid_request']);
});

test('what the configuration declares is not changed here', async () => {
  const answer = await api.ask('PATCH', '/v1/tenants/south', { as: api.admin, json: { matchThreshold: 0.6 } });
  expect(codeOf(answer)).toEqual([409, 'fixed_by_configuration']);
  expect((await api.ask('PATCH', '/v1/tenants/north', { as: api.admin, json: { matchThreshold: 0.6 } })).body).toMatchObject({
    matchThreshold: 0.6,
  });
});

describe('erasures', () => {
  test('of several customers are one request, all of them or nobody, and are told of without a name', async () => {
    const [anna, ben, cleo] = [await addCustomer('Anna'), await addCustomer('Ben'), await addCustomer('Cleo')];
    const absent = 'cus_aaaaaaaaaaaaaaaaaaaaaaaaaa';
    expect(codeOf(await north('POST', 'erasures', { json: { customerIds: [anna, absent] } }))).toEqual([404, 'customer_not_found']);
    expect((await north('GET', `customers/${anna}`)).status).toBe(200);
    const erased = await north('POST', 'erasures', { json: { customerIds: [anna, ben] } });
    const fields = { state: 'erased', unrecoverableFrom: null, epoch: 1, keyReplaced: false, boxes: [] };
    expect(erased.body).toMatchObject({ items: [anna, ben].map((customerId) => ({ customerId, ...fields })) });
    expect((await north('POST', 'erasures', { json: { customerIds: [ben, anna] } })).status).toBe(200);
    expect((await north('DELETE', `customers/${cleo}`)).status).toBe(204);
    const { body } = await north('GET', 'erasures?limit=3');
    expect((body as { items: { customerId: string }[] }).items.map(({ customerId }) => customerId)).toEqual([cleo, ben, anna]);
  });

  test('go further with another tenant key, which the admin alone can ask for', async () => {
    const customerId = await addCustomer('Dora');
    await north('DELETE', `customers/${customerId}`);
    expect((await north('POST', 'erasures/move', { as: api.key('north') })).status).toBe(403);
    expect((await north('POST', 'erasures/move')).body).toEqual({ epoch: 2 });
    expect((await north('GET', 'erasures?limit=1')).body).toMatchObject({
      items: [{ customerId, epoch: 1, state: 'erased', keyReplaced: true }],
    });
    const other = await addCustomer('Emil');
    expect((await north('GET', `customers/${other}`)).body).toMatchObject({ name: 'Emil' });
  });
});
