import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { DaemonProcess } from '../helpers/daemon-process.ts';
import { embeddedModels } from '../helpers/embedded-models.ts';
import { twoPeople } from '../helpers/people.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { consentFor } from '../helpers/vault-guests.ts';

const DIES = fileURLToPath(new URL('../fixtures/die-before-settling.ts', import.meta.url));
let picture: Buffer;

beforeAll(async () => {
  await embeddedModels();
  const [person] = await twoPeople();
  picture = person.toEnrol;
}, 120_000);

interface Request {
  readonly path: string;
  readonly body: Buffer | object;
  readonly key: string;
}

test('a box killed between the making of a thing and the note of it makes nothing twice', async () => {
  const folder = await tempFolder();
  const file = join(folder, 'box.json');
  const config = {
    dataDir: join(folder, 'data'),
    keyDir: join(folder, 'keys'),
    api: { port: 0 },
    webhooks: { allowPrivateTargets: true },
    tenants: [{ id: 'north', org: 'acme' }],
  };
  await writeFile(file, JSON.stringify(config));
  const start = async (entry?: readonly string[]) => {
    const daemon = new DaemonProcess(file, entry);
    onTestFinished(() => daemon.cleanUp());
    const { api } = await daemon.until('ready');
    const token = (await readFile(join(folder, 'keys', 'admin.token'), 'utf8')).trim();
    const ask = async (path: string, { body, key }: Partial<Request> = {}): Promise<Record<string, unknown>> => {
      const response = await fetch(`${api}/v1/tenants${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': Buffer.isBuffer(body) ? 'image/jpeg' : 'application/json' }),
          ...(key === undefined ? {} : { 'idempotency-key': key }),
        },
        body: body === undefined || Buffer.isBuffer(body) ? (body ?? null) : JSON.stringify(body),
      });
      expect(response.status, path).toBe(body === undefined ? 200 : 201);
      return (await response.json()) as Record<string, unknown>;
    };
    return { daemon, ask };
  };

  const person = { name: 'Ottoline Quist', consent: consentFor() };
  const requests: Request[] = [
    { path: '', body: { id: 'annex', org: 'acme' }, key: randomUUID() },
    { path: '/north/customers', body: person, key: randomUUID() },
    { path: '/north/rooms', body: { title: 'Foyer' }, key: randomUUID() },
    { path: '/north/cameras', body: { slug: 'door', url: 'rtsp://127.0.0.1:1/door' }, key: randomUUID() },
    { path: '/north/webhooks', body: { url: 'http://127.0.0.1:1/' }, key: randomUUID() },
  ];
  // The face is the last note, at which the daemon dies.
  const dying = await start([DIES, String(requests.length + 1)]);
  const first = [];
  for (const request of requests) first.push(await dying.ask(request.path, request));
  const face = { path: `/north/customers/${first[1]?.id}/faces`, body: picture, key: randomUUID() };
  await expect(dying.ask(face.path, face)).rejects.toThrow('fetch failed');
  expect(await dying.daemon.exit).toBe('SIGKILL');

  const { ask } = await start();
  for (const [index, request] of requests.entries()) {
    const again = await ask(request.path, request);
    expect(again.id, request.path).toBe(first[index]?.id);
    const { items } = await ask(request.path);
    const others = request.path === '' ? 1 : 0;
    expect(items, request.path).toHaveLength(1 + others);
  }
  const { faceId } = await ask(face.path, face);
  expect(await ask(face.path)).toMatchObject({ items: [{ id: faceId }] });
  expect((await ask(face.path, face)).faceId, 'and once more').toBe(faceId);
}, 120_000);
