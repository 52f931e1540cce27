import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { openStore } from '../../cloud/store/open-store.ts';
import { NO_LIMITS, PATIENT, pinAdmins } from '../helpers/cloud.ts';
import { type Asking, CloudProcess } from '../helpers/cloud-process.ts';
import { freePort } from '../helpers/free-port.ts';
import { type TestKms, testKms } from '../helpers/kms.ts';
import { startPostgres, type TestPostgres } from '../helpers/postgres.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

/** `npm run drill:cloud-crash` makes more of them. */
const POWER_CUTS = Number(process.env.POWER_CUTS ?? 4);
const WRITERS = 4;

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);
afterAll(async () => postgres.stop());

async function prepared(kms: TestKms, DATABASE_URL: string): Promise<CloudProcess> {
  const folder = await tempFolder();
  const [config, dataDir, port] = [join(folder, 'cloud.json'), join(folder, 'data'), await freePort()];
  await writeFile(
    config,
    JSON.stringify({ dataDir, api: { port, rateLimits: NO_LIMITS, pressure: PATIENT }, kms: { socket: kms.socket } }),
  );
  return new CloudProcess(port, config, dataDir, { ...process.env, DATABASE_URL });
}

/** What can be made: where, and a body under a number that nobody else has. */
const KINDS = {
  tenant: { path: '/tenants', body: (n: number) => ({ id: `hall-${n}`, name: `Hall ${n}`, hostnames: [`hall-${n}.acme.example`] }) },
  user: {
    path: '/users',
    body: (n: number) => ({ name: `User ${n}`, email: `user-${n}@acme.example`, roles: [{ role: 'auditor' }, { role: 'technician' }] }),
  },
  service: { path: '/service-accounts', body: (n: number) => ({ name: `Service ${n}`, roles: [{ role: 'auditor' }] }) },
} as const;

/** A request that was sent, and the id that it was answered with. */
interface Sent {
  readonly path: string;
  readonly body: object;
  readonly key: string;
  id?: string;
}

/** All that a list holds, page by page. */
async function listed(cloud: CloudProcess, path: string, as: Asking): Promise<Record<string, unknown>[]> {
  const all: Record<string, unknown>[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const { body } = await cloud.ask('GET', `${path}?limit=200&cursor=${cursor}`, undefined, as);
    all.push(...body.items);
    cursor = body.next;
  }
  return all;
}

test.each(['SQLite', 'Postgres'])(
  'killed at any moment, on %s: all that was answered with 201 is there, nothing is half there, and a repetition makes nothing twice',
  async (database) => {
    const kms = await testKms('software', { epochsPerOrg: 1_000_000 });
    await pinAdmins(kms, 'acme');
    const address = database === 'Postgres' ? await postgres.database() : '';
    const cloud = await prepared(kms, address);
    await cloud.start();
    await cloud.ask('POST', '/v1/orgs', { id: 'acme', name: 'Acme', jurisdiction: 'CH', features: ['service-accounts'] });
    const named = await cloud.ask('POST', '/v1/orgs/acme/first-admin', { name: 'Ada', email: 'ada@acme.example' });
    const admin = { account: named.body.id as string, org: 'acme' };
    const sent: Sent[] = [];
    const write = async (one: Sent): Promise<void> => {
      const { status, body } = await cloud.ask('POST', one.path, one.body, { ...admin, key: one.key });
      if (status === 201) one.id = body.id;
    };
    const answered = (): number => sent.filter(({ id }) => id !== undefined).length;
    for (let cut = 0; cut < POWER_CUTS; cut++) {
      let working = true;
      const writer = async (): Promise<void> => {
        while (working) {
          const n = sent.length;
          const { path, body } = Object.values(KINDS)[n % 3] ?? KINDS.user;
          const one: Sent = { path: `/v1/orgs/acme${path}`, body: body(n), key: `request-${n}` };
          sent.push(one);
          try {
            await write(one);
          } catch {
            return; // The connection broke: nobody said that it was made.
          }
        }
      };
      const writers = Array.from({ length: WRITERS }, writer);
      const before = answered();
      await expect.poll(answered, { interval: 5 }).toBeGreaterThan(before);
      await pause(Math.random() * 150);
      await cloud.kill();
      working = false;
      await Promise.all(writers);
      await cloud.start();
    }
    expect(answered()).toBeGreaterThanOrEqual(POWER_CUTS);

    // Tenants whose key was not made get it without anybody asking.
    await expect
      .poll(async () => (await listed(cloud, '/v1/orgs/acme/tenants', admin)).filter(({ state }) => state !== 'active'), {
        timeout: 60_000,
      })
      .toEqual([]);
    const read = async () => ({
      tenant: await listed(cloud, '/v1/orgs/acme/tenants', admin),
      user: (await listed(cloud, '/v1/orgs/acme/users', admin)).filter(({ id }) => id !== admin.account),
      service: await listed(cloud, '/v1/orgs/acme/service-accounts', admin),
    });
    const there = await read();
    const ids = new Set(Object.values(there).flatMap((items) => items.map(({ id }) => id as string)));
    expect(sent.filter(({ id }) => id !== undefined && !ids.has(id))).toEqual([]);

    // What nobody answered is asked for once more, and what was answered too.
    for (const one of sent) {
      const { id } = one;
      await write(one);
      expect(one.id, one.key).toBeDefined();
      if (id !== undefined) expect(one.id, one.key).toBe(id);
    }
    const { tenant, user, service } = await read();
    expect(tenant.length + user.length + service.length).toBe(sent.length);
    const made = new Map([...tenant, ...user, ...service].map((item) => [item.id, item]));
    for (const { id, body } of sent) expect(made.get(id), id).toMatchObject(body);
    for (const { id } of tenant) {
      expect(await kms.client.call('listEpochs', { org: 'acme', tenant: id as string })).toMatchObject([{ epoch: 1, state: 'ready' }]);
    }

    await cloud.kill();
    const store = await openStore(address === '' ? { file: join(cloud.dataDir, 'cloud.db') } : { postgres: address });
    onTestFinished(() => store.close());
    const results = await store.db.selectFrom('idempotency').select(['result', 'settled']).execute();
    expect(results.map(({ result }) => result).toSorted()).toEqual([...made.keys()].toSorted());
    expect(results.filter(({ settled }) => settled !== 1)).toEqual([]);
    const told = await store.db.selectFrom('audit').select('target').where('outcome', '=', 'done').execute();
    expect([...made.keys()].filter((id) => !told.some(({ target }) => target === id))).toEqual([]);
    console.log(
      `${database}: ${POWER_CUTS} power cuts, ${sent.length} requests, ${there.tenant.length + there.user.length + there.service.length} made before the repetition`,
    );
  },
  180_000 + POWER_CUTS * 10_000,
);
