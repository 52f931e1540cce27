import { request as httpRequest } from 'node:http';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Person, twoPeople } from '../helpers/people.ts';
import { type Answer, startTestApi, type TestApi } from '../helpers/test-api.ts';
import { consentFor } from '../helpers/vault-guests.ts';

let api: TestApi;
let people: [Person, Person];
let customerId: string;

beforeAll(async () => {
  api = await startTestApi();
  people = await twoPeople();
  const { body } = await api.ask('POST', '/v1/tenants/north/customers', { as: api.admin, json: { name: 'Ada', consent: consentFor() } });
  customerId = (body as { id: string }).id;
  const face = await api.ask('POST', `/v1/tenants/north/customers/${customerId}/faces`, { as: api.admin, picture: people[0].toEnrol });
  expect(face.status).toBe(201);
}, 60_000);
afterAll(() => api.stop());

const search = (picture: Buffer, type = 'image/jpeg'): Promise<Answer> =>
  api.ask('POST', '/v1/tenants/north/search', { as: api.admin, picture, headers: { 'content-type': type } });
const outcomeOf = ({ status, body }: Answer): [number, unknown] => [status, (body as { code?: string }).code];
const flat = (): Sharp => sharp({ create: { width: 64, height: 64, channels: 3, background: '#777' } });

test('enrolled, a person is found by another picture and verified, another person is not', async () => {
  const found = (await search(people[0].toShow)).body as { candidates: { customerId: string; name: string; match: boolean }[] };
  expect(found.candidates[0]).toMatchObject({ customerId, name: 'Ada', match: true });
  const verify = (picture: Buffer): Promise<Answer> =>
    api.ask('POST', `/v1/tenants/north/customers/${customerId}/verify`, { as: api.admin, picture });
  expect((await verify(people[0].toShow)).body).toMatchObject({ match: true, score: expect.any(Number) });
  expect((await verify(people[1].toShow)).body).toMatchObject({ match: false, score: expect.any(Number) });
});

test('who may search and not read people learns that somebody is known, not who it is', async () => {
  const as = api.key('north', ['search']);
  const { body } = await api.ask('POST', '/v1/tenants/north/search', { as, picture: people[0].toShow });
  expect((body as { candidates: unknown[] }).candidates[0]).toMatchObject({ customerId, name: null, match: true });
});

test('nobody is verified who has no face, no consent, or belongs to another tenant', async () => {
  const verify = async (tenant: string, id: string): Promise<[number, unknown]> =>
    outcomeOf(await api.ask('POST', `/v1/tenants/${tenant}/customers/${id}/verify`, { as: api.admin, picture: people[0].toShow }));
  const made = await api.ask('POST', '/v1/tenants/north/customers', { as: api.admin, json: { name: 'Bea', consent: consentFor() } });
  const { id } = made.body as { id: string };
  expect(await verify('north', id)).toEqual([404, 'record_not_found']);
  expect((await api.ask('DELETE', `/v1/tenants/north/customers/${id}/consent`, { as: api.admin })).status).toBe(204);
  expect(await verify('north', id)).toEqual([409, 'consent_missing']);
  expect(await verify('south', customerId)).toEqual([404, 'customer_not_found']);
});

test('a face keeps its picture, which only those see who may read people', async () => {
  const path = `/v1/tenants/north/customers/${customerId}/faces`;
  const { items } = (await api.ask('GET', path, { as: api.admin })).body as { items: { id: string; hasPicture: boolean }[] };
  expect(items).toMatchObject([{ hasPicture: true }]);
  const picture = await api.ask('GET', `${path}/${items[0]?.id}/picture`, { as: api.key('north', ['people:read']) });
  expect(picture.headers.get('content-type')).toBe('image/jpeg');
  expect(await sharp(picture.bytes).metadata()).toMatchObject({ format: 'jpeg', width: 112, height: 112 });
});

test.each([
  ['in CMYK', (face: Sharp) => face.toColourspace('cmyk').jpeg(), 'image/jpeg'],
  ['with 16 bits a channel', (face: Sharp) => face.toColourspace('rgb16').png(), 'image/png'],
  ['as WebP', (face: Sharp) => face.webp({ quality: 90 }), 'image/webp'],
  ['with another content type than it has', (face: Sharp) => face.png(), 'image/jpeg'],
  // 6: the camera was held upright, a quarter turn clockwise makes it right again.
  ['turned, and upright by EXIF', (face: Sharp) => face.rotate(-90).jpeg({ quality: 95 }).withMetadata({ orientation: 6 }), 'image/jpeg'],
] as const)('the same person is found on a picture %s', async (_what, edit, type) => {
  const answer = await search(await edit(sharp(people[0].toShow)).toBuffer(), type);
  expect(answer.body).toMatchObject({ candidates: [{ customerId, match: true }] });
});

test('hostile pictures are refused with a code', async () => {
  const png = await flat().png().toBuffer();
  const bomb = Buffer.from(png);
  // IHDR says 60000 x 60000; what the header's checksum says then is nobody's concern.
  bomb.writeUInt32BE(60_000, 16);
  bomb.writeUInt32BE(60_000, 20);
  const colours = ['#900', '#090', '#009'].map((background) =>
    sharp({ create: { width: 64, height: 64, channels: 3, background } })
      .png()
      .toBuffer(),
  );
  const frames = await sharp(await Promise.all(colours), { join: { animated: true } })
    .webp()
    .toBuffer();
  expect((await sharp(frames).metadata()).pages).toBe(3);
  const gif = await flat().gif().toBuffer();
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>');
  const polyglot = Buffer.concat([Buffer.from('GIF89a'), people[0].toShow]);
  const withZip = Buffer.concat([await flat().jpeg().toBuffer(), Buffer.from('PK\x03\x04 and a whole archive')]);
  const cases: [string, Buffer, [number, string][]][] = [
    [
      'bomb',
      bomb,
      [
        [413, 'image_too_large'],
        [422, 'image_truncated'],
      ],
    ],
    ['animated', frames, [[422, 'no_face']]],
    ['gif', gif, [[415, 'not_an_image']]],
    ['svg', svg, [[415, 'not_an_image']]],
    ['html', Buffer.from('<html><script>alert(1)</script>'), [[415, 'not_an_image']]],
    ['polyglot', polyglot, [[415, 'not_an_image']]],
    ['archive behind a picture', withZip, [[422, 'no_face']]],
    ['cut off', people[0].toShow.subarray(0, 4000), [[422, 'image_truncated']]],
    ['start of a JPEG', Buffer.from([0xff, 0xd8, 0xff, 0xe0]), [[422, 'image_truncated']]],
  ];
  for (const [what, picture, expected] of cases) expect(expected, what).toContainEqual(outcomeOf(await search(picture)));
});

test('what is no picture by its content type is not even read', async () => {
  for (const type of ['text/plain', 'application/octet-stream', 'image/gif', 'application/json', 'multipart/form-data; boundary=x']) {
    expect(outcomeOf(await search(people[0].toShow, type)), type).toEqual([415, 'unsupported_media_type']);
  }
  for (const path of ['search', `customers/${customerId}/faces`]) {
    const none = await api.ask('POST', `/v1/tenants/north/${path}`, { as: api.admin, headers: { 'idempotency-key': 'no-picture' } });
    expect(outcomeOf(none), path).toEqual([415, 'unsupported_media_type']);
  }
  const json = await api.ask('POST', '/v1/tenants/north/customers', { as: api.admin, picture: people[0].toShow });
  expect(outcomeOf(json)).toEqual([415, 'unsupported_media_type']);
});

test('pictures are looked at one after the other', async () => {
  const { faces } = api.box;
  const { describe } = faces;
  let [now, most, looks] = [0, 0, 0];
  faces.describe = async (image, purpose) => {
    now += 1;
    looks += 1;
    most = Math.max(most, now);
    return describe(image, purpose).finally(() => {
      now -= 1;
    });
  };
  try {
    const answers = await Promise.all(Array.from({ length: 8 }, () => search(people[0].toShow)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
    expect([most, looks]).toEqual([1, 8]);
  } finally {
    faces.describe = describe;
  }
});

/** Begins to send a picture and does not go on. */
function openUpload(key: string) {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'image/jpeg', 'content-length': '1000000' };
  const request = httpRequest(`${api.url}/v1/tenants/north/search`, { method: 'POST', headers });
  const answered = new Promise<number>((resolve) => {
    request.once('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.once('error', () => resolve(0));
  });
  request.write(Buffer.alloc(1000, 0xff));
  return { answered, end: (): unknown => request.destroy() };
}

test('no key takes all the room for pictures, and what is broken off makes room', async () => {
  const [greedy, other] = [api.key('north'), api.key('north')];
  const searchAs = async (as: string): Promise<[number, unknown]> =>
    outcomeOf(await api.ask('POST', '/v1/tenants/north/search', { as, picture: people[0].toShow }));
  const uploads = Array.from({ length: 12 }, () => openUpload(greedy));
  const refused = (): Promise<number[]> => Promise.all(uploads.map(({ answered }) => Promise.race([answered, Promise.resolve(-1)])));
  await expect.poll(async () => (await refused()).filter((status) => status === 503).length).toBe(4);
  expect(await searchAs(greedy)).toEqual([503, 'overloaded']);
  expect(await searchAs(other)).toEqual([200, undefined]);
  for (const { end } of uploads) end();
  await expect.poll(() => searchAs(greedy)).toEqual([200, undefined]);
});

/**
 * Sends 100 MB as fast as they are taken.
 * @returns the answer's status and how much was sent by then; `cut` where the connection ended under the sending before the answer was read
 */
function flood(path: string, headers: Record<string, string>): Promise<{ status: number | 'cut'; sentMb: number }> {
  const chunk = Buffer.alloc(1024 * 1024, 0xff);
  const { promise, resolve } = Promise.withResolvers<{ status: number | 'cut'; sentMb: number }>();
  let sentMb = 0;
  let answered = false;
  const request = httpRequest(`${api.url}${path}`, { method: 'POST', headers });
  request.once('response', (response) => {
    answered = true;
    response.resume();
    resolve({ status: response.statusCode ?? 0, sentMb });
    request.destroy();
  });
  request.on('error', () => resolve({ status: 'cut', sentMb }));
  const send = (): void => {
    if (answered) return;
    if (sentMb === 100) {
      request.end();
      return;
    }
    sentMb += 1;
    if (request.write(chunk)) setImmediate(send);
    else request.once('drain', send);
  };
  send();
  return promise;
}

test('a body of 100 MB is refused before it is there', async () => {
  const authorization = `Bearer ${api.admin}`;
  const type = { 'content-type': 'image/jpeg' };
  const chunked = { authorization, 'transfer-encoding': 'chunked' };
  for (const [status, path, headers] of [
    [413, '/v1/tenants/north/search', { ...type, authorization, 'content-length': String(100 * 1024 * 1024) }],
    [413, '/v1/tenants/north/search', { ...type, ...chunked }],
    [413, '/v1/tenants/north/customers', { ...chunked, 'content-type': 'application/json' }],
    [401, '/v1/tenants/north/search', { ...type, 'transfer-encoding': 'chunked' }],
  ] as const) {
    const answer = await flood(path, headers);
    expect([status, 'cut'], path).toContain(answer.status);
    expect(answer.sentMb, path).toBeLessThan(100);
  }
  expect((await api.ask('GET', '/healthz')).status).toBe(200);
});
