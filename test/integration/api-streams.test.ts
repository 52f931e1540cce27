import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { readLiveMessages } from '../../edge/console/live/read-live-messages.ts';
import type { Sighting } from '../../shared/messages/events.ts';
import { openStream } from '../helpers/open-stream.ts';
import { type Answer, startTestApi, type TestApi } from '../helpers/test-api.ts';
import { consentFor, sightingOf } from '../helpers/vault-guests.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
}, 60_000);
afterAll(() => api.stop());

const codeOf = ({ status, body }: Answer): unknown => [status, (body as { code: string }).code];
const people = async (tenant: string, name: string): Promise<string> => {
  const made = await api.ask('POST', `/v1/tenants/${tenant}/customers`, { as: api.admin, json: { name, consent: consentFor() } });
  return (made.body as { id: string }).id;
};
let cameras = 0;
const addCamera = async (tenant: string): Promise<string> => {
  cameras += 1;
  const json = { slug: `camera-${cameras}`, url: 'rtsp://camera.example/1' };
  const made = await api.ask('POST', `/v1/tenants/${tenant}/cameras`, { as: api.admin, json });
  return (made.body as { id: string }).id;
};
const picture = (mediaMs: number, jpeg: Buffer, customerId: string | null = null) => {
  const outcome = customerId === null ? 'unknown' : 'person';
  const track = { track: 3, box: { x: 1, y: 2, width: 3, height: 4 }, outcome, customerId } as const;
  return { mediaMs, width: 640, height: 360, jpeg, tracks: [track] };
};

/** A connection of its own that asks for a path and reads nothing after the headers. */
async function ask(path: string): Promise<Socket> {
  const { hostname, port } = new URL(api.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => socket.destroy());
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${api.admin}\r\n\r\n`);
  await once(socket, 'data');
  socket.pause();
  return socket;
}

describe('sightings', () => {
  test('of several tenants come over one connection, each with the name that its own tenant knows, until the reader leaves', async () => {
    const [ada, sue] = [await people('north', 'Ada'), await people('south', 'Sue')];
    const stream = await openStream(api, '/v1/sightings/stream?tenants=north,south');
    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    await stream.until((read) => read.toString().startsWith(':\n\n'));
    expect(api.box.listeners).toBe(2);
    const seen = [sightingOf(ada, 'north'), sightingOf(sue, 'south'), sightingOf(null, 'north', 'unknown')];
    for (const sighting of seen) api.box.emit(sighting.tenant, sighting);
    const text = (
      await stream.until((read) => read.toString().split('event: sighting').length === 4 && read.toString().endsWith('}\n\n'))
    ).toString();
    const told = [...text.matchAll(/event: sighting\ndata: (.*)\n\n/g)].map(([, data = '']) => JSON.parse(data) as { id: string });
    const views = seen.map(({ type: _type, ...sighting }, index) => ({
      ...sighting,
      name: ['Ada', 'Sue', null][index],
      hasPicture: false,
    }));
    const byId = (a: { id: string }, b: { id: string }): number => a.id.localeCompare(b.id);
    expect(told.toSorted(byId)).toEqual(views.toSorted(byId));
    stream.end();
    await expect.poll(() => api.box.listeners).toBe(0);
  });

  test('of a tenant that was not asked for do not come', async () => {
    const stream = await openStream(api, '/v1/sightings/stream?tenants=north', api.key('north', ['sightings:read']));
    await stream.until((read) => read.length > 0);
    const [theirs, ours] = [sightingOf(null, 'south', 'unknown'), sightingOf(null, 'north', 'unknown')];
    for (const sighting of [theirs, ours]) api.box.emit(sighting.tenant, sighting);
    const text = (await stream.until((read) => read.toString().includes(ours.id))).toString();
    expect(text).not.toContain(theirs.id);
    stream.end();
  });

  test('are refused whole where one tenant is not the caller’s or not there', async () => {
    const key = api.key('north');
    for (const tenants of ['south', 'north,south', 'north,nowhere', 'nowhere']) {
      expect(codeOf(await api.ask('GET', `/v1/sightings/stream?tenants=${tenants}`, { as: key })), tenants).toEqual([403, 'forbidden']);
    }
    for (const tenants of ['north,nowhere', 'nowhere']) {
      const answer = await api.ask('GET', `/v1/sightings/stream?tenants=${tenants}`, { as: api.admin });
      expect(codeOf(answer), tenants).toEqual([404, 'tenant_not_found']);
    }
    for (const query of ['', '?tenants=', '?tenants=north,', '?tenants=north&tenants=north', '?tenants=North', '?tenants=north&more=1']) {
      expect(codeOf(await api.ask('GET', `/v1/sightings/stream${query}`, { as: api.admin })), query).toEqual([400, 'invalid_request']);
      expect(codeOf(await api.ask('GET', `/v1/sightings/stream${query}`, { as: key })), query).toEqual([403, 'forbidden']);
    }
    expect(api.box.listeners).toBe(0);
  });

  test('end for a reader who does not keep up', async () => {
    const socket = await ask('/v1/sightings/stream?tenants=north');
    const models: Sighting['models'] = { detector: 'd'.repeat(10_000), landmarks: null, embedder: 'e' };
    await expect
      .poll(
        () => {
          for (let count = 0; count < 200; count += 1) api.box.emit('north', { ...sightingOf(null, 'north', 'unknown'), models });
          return api.box.listeners;
        },
        { timeout: 20_000 },
      )
      .toBe(0);
    socket.destroy();
  });
});

describe('the live view', () => {
  test('carries cameras of several tenants over one connection, each message with whose it is', async () => {
    const [door, hall, ada, sue] = [
      await addCamera('north'),
      await addCamera('south'),
      await people('north', 'Ada'),
      await people('south', 'Sue'),
    ];
    const stream = await openStream(api, `/v1/live?cameras=north/${door},south/${hall},north/${door}&size=small`);
    expect(stream.headers.get('content-type')).toBe('application/vnd.securegate.live');
    const jpegs = { [door]: Buffer.alloc(5000, 7), [hall]: Buffer.alloc(3000, 8) };
    expect(api.box.show(door, picture(40, Buffer.alloc(5000, 7), ada))).toBe(1);
    expect(api.box.show(hall, picture(80, Buffer.alloc(3000, 8), sue))).toBe(1);
    const bytes = await stream.until((read) => read.length > 8000 + 500);
    const told = [];
    for await (const { header, jpeg } of readLiveMessages(
      (async function* () {
        yield bytes;
      })(),
    )) {
      const { tenant, camera, mediaMs, jpegBytes, tracks } = header;
      expect(jpegs[camera]?.equals(jpeg)).toBe(true);
      told.push({ tenant, camera, mediaMs, jpegBytes, names: tracks.map(({ name }) => name) });
    }
    expect(told.toSorted((a, b) => a.mediaMs - b.mediaMs)).toEqual([
      { tenant: 'north', camera: door, mediaMs: 40, jpegBytes: 5000, names: ['Ada'] },
      { tenant: 'south', camera: hall, mediaMs: 80, jpegBytes: 3000, names: ['Sue'] },
    ]);
    stream.end();
    const blank = picture(120, Buffer.alloc(10));
    await expect.poll(() => api.box.show(door, blank) + api.box.show(hall, blank)).toBe(0);
  });

  test('is refused whole where one camera is not the caller’s or not there', async () => {
    const [door, hall] = [await addCamera('north'), await addCamera('south')];
    const key = api.key('north', ['live']);
    const refusals: [string, string, unknown[]][] = [
      [key, `south/${hall}`, [403, 'forbidden']],
      [key, `north/${door},south/${hall}`, [403, 'forbidden']],
      [key, `south/${hall},north/${door}`, [403, 'forbidden']],
      [key, `north/${door},nowhere/${door}`, [403, 'forbidden']],
      [key, `north/${hall}`, [404, 'record_not_found']],
      [key, `north/${door},north/none-such`, [404, 'record_not_found']],
      [api.key('north', ['cameras:read']), `north/${door}`, [403, 'forbidden']],
      [api.admin, `north/${door},south/${door}`, [404, 'record_not_found']],
      [api.admin, `nowhere/${door}`, [404, 'tenant_not_found']],
    ];
    for (const [as, list, refusal] of refusals) {
      expect(codeOf(await api.ask('GET', `/v1/live?cameras=${list}`, { as })), list).toEqual(refusal);
    }
    const one = `north/${door}`;
    const many = Array.from({ length: 129 }, () => one).join(',');
    for (const query of [
      '',
      '?cameras=',
      `?cameras=${door}`,
      `?cameras=${one},`,
      `?cameras=${one}&cameras=${one}`,
      `?cameras=${many}`,
      `?cameras=${one}&size=9`,
    ]) {
      expect(codeOf(await api.ask('GET', `/v1/live${query}`, { as: api.admin })), query).toEqual([400, 'invalid_request']);
      expect(codeOf(await api.ask('GET', `/v1/live${query}`, { as: key })), query).toEqual([403, 'forbidden']);
    }
    expect(api.box.show(door, picture(0, Buffer.alloc(10)))).toBe(0);
    const stream = await openStream(api, `/v1/live?cameras=${one}`, key);
    await expect.poll(() => api.box.show(door, picture(0, Buffer.alloc(10)))).toBe(1);
    stream.end();
  });

  test('shows a reader who fell behind the newest pictures, and those of other cameras too', async () => {
    const [busy, still] = [await addCamera('north'), await addCamera('south')];
    const socket = await ask(`/v1/live?cameras=north/${busy},south/${still}`);
    const jpeg = Buffer.alloc(200_000, 7);
    const last = 300;
    for (let count = 1; count <= last; count += 1) {
      api.box.show(busy, picture(count, jpeg));
      if (count === last - 1) api.box.show(still, picture(1, jpeg));
      await turn();
    }
    const read: string[] = [];
    // The chunked answer is cut anywhere, but a header's beginning is short.
    socket.on('data', (chunk: Buffer) => read.push(...(chunk.toString('latin1').match(/"camera":"\w+","mediaMs":\d+/g) ?? [])));
    socket.resume();
    await expect.poll(() => read, { timeout: 20_000 }).toContain(`"camera":"${busy}","mediaMs":${last}`);
    await expect.poll(() => read, { timeout: 20_000 }).toContain(`"camera":"${still}","mediaMs":1`);
    expect(read.length).toBeLessThan(last / 2);
    socket.destroy();
  });

  test('ends for a reader who takes nothing any more', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const door = await addCamera('north');
      const socket = await ask(`/v1/live?cameras=north/${door}`);
      const jpeg = Buffer.alloc(200_000, 7);
      for (let count = 1; count <= 300; count += 1) {
        api.box.show(door, picture(count, jpeg));
        await turn();
      }
      await expect
        .poll(
          () => {
            vi.advanceTimersByTime(15_000);
            return api.box.show(door, picture(0, jpeg));
          },
          { timeout: 20_000 },
        )
        .toBe(0);
      socket.destroy();
    } finally {
      vi.useRealTimers();
    }
  });

  test('answers at once, and beats where no camera shows anything', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const stream = await openStream(api, `/v1/live?cameras=north/${await addCamera('north')}`);
      const beats = stream.until((read) => read.equals(Buffer.alloc(8)));
      vi.advanceTimersByTime(30_000);
      await beats;
      stream.end();
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('who loses his right hears and sees nothing more', () => {
  const paths = ['sightings/stream?tenants=north', 'live?cameras=north/'];

  /** @returns once the answer has begun; `ended` resolves when it is over */
  const watch = async (path: string, headers: Record<string, string>): Promise<{ ended: Promise<string> }> => {
    const camera = path.startsWith('live') ? await addCamera('north') : '';
    const response = await fetch(`${api.url}/v1/${path}${camera}`, { headers });
    expect(response.status).toBe(200);
    const over = (): string => 'ended';
    return { ended: response.arrayBuffer().then(over, over) };
  };
  const statusMeanwhile = async (ended: Promise<string>) => Promise.race([ended, (await api.ask('GET', '/healthz')).status]);
  const keyId = (key: string): string => `key_${key.split('_')[2]}`;

  test.each(paths)('%s, at once when his key is revoked', async (path) => {
    const [revoked, other] = [api.key('north'), api.key('north')];
    const { ended } = await watch(path, { authorization: `Bearer ${revoked}` });
    const { ended: otherEnded } = await watch(path, { authorization: `Bearer ${other}` });
    expect((await api.ask('DELETE', `/v1/tenants/north/api-keys/${keyId(revoked)}`, { as: api.admin })).status).toBe(204);
    expect(await ended).toBe('ended');
    expect(await statusMeanwhile(otherEnded), 'another key goes on').toBe(200);
    expect((await api.ask('DELETE', `/v1/tenants/north/api-keys/${keyId(other)}`, { as: api.admin })).status).toBe(204);
    expect(await otherEnded).toBe('ended');
  });

  test.each(paths)('%s, at once when he logs out', async (path) => {
    const headers = { cookie: `sgs=${api.appliance.sessions.open().session}`, 'sec-fetch-site': 'same-origin' };
    const { ended } = await watch(path, headers);
    expect((await api.ask('DELETE', '/v1/session', { headers })).status).toBe(204);
    expect(await ended).toBe('ended');
  });

  test.each(paths)('%s, soon when his right ends by itself', async (path) => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const key = api.key('north');
      const { ended } = await watch(path, { authorization: `Bearer ${key}` });
      vi.advanceTimersByTime(20_000);
      expect(await statusMeanwhile(ended)).toBe(200);
      api.appliance.apiKeys.revoke('north', keyId(key));
      expect(await statusMeanwhile(ended)).toBe(200);
      vi.advanceTimersByTime(20_000);
      expect(await ended).toBe('ended');
    } finally {
      vi.useRealTimers();
    }
  });
});
