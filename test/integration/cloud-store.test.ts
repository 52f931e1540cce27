import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { AuditLog } from '../../cloud/audit/audit-log.ts';
import { LogTree } from '../../cloud/audit/log-tree.ts';
import { LOCAL_OPERATOR } from '../../cloud/iam/local-operator.ts';
import { People } from '../../cloud/iam/people.ts';
import { JobLeases } from '../../cloud/store/job-leases.ts';
import { openStore, type Store, type StoreAddress } from '../../cloud/store/open-store.ts';
import { verifyInclusion } from '../../shared/crypto/merkle/verify-inclusion.ts';
import { newId } from '../../shared/ids/ids.ts';
import { pinAdmins, TestCloud } from '../helpers/cloud.ts';
import { testKms } from '../helpers/kms.ts';
import { leafOf } from '../helpers/log-place.ts';
import { startPostgres, type TestPostgres } from '../helpers/postgres.ts';
import { contentThen, dumpedVersions, loadDump, readContent } from '../helpers/store-dump.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const HOLD_JOB = join(import.meta.dirname, '../fixtures/hold-job.ts');

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);
afterAll(async () => postgres.stop());

async function freshAddress(database: string): Promise<StoreAddress> {
  return database === 'SQLite' ? { file: join(await tempFolder(), 'cloud.db') } : { postgres: await postgres.database() };
}

async function opened(address: StoreAddress): Promise<Store> {
  const store = await openStore(address);
  onTestFinished(() => store.close());
  return store;
}

/** Every entry of an org is in the log, also what was recorded before there was one. */
async function expectInLog({ db }: Store, audit: AuditLog): Promise<void> {
  const tree = new LogTree(db);
  const size = await tree.size();
  const root = Buffer.from(await tree.root(size), 'base64url');
  for (const entry of await audit.list('acme', { limit: 1000 })) {
    const proof = (await tree.inclusion(entry.leaf, size)).map((hash) => Buffer.from(hash, 'base64url'));
    expect(verifyInclusion({ index: entry.leaf, size, leaf: leafOf(entry), root, proof })).toBe(true);
  }
}

describe.each(['SQLite', 'Postgres'])('the store on %s', (database) => {
  test.each(dumpedVersions())('what version %s left is all there after the migrations since, and can be worked with', async (version) => {
    const address = await freshAddress(database);
    await loadDump(version, address);
    const store = await opened(address);
    expect(await readContent(store)).toMatchObject(contentThen(version));
    const people = new People(store.db, Date.now);
    const { id } = await people.create('acme', newId('user'), { kind: 'user', name: 'Cleo', email: 'cleo@acme.example' });
    expect(await people.giveRole('acme', id, { role: 'reviewer', tenant: 'hall' })).toMatchObject({ name: 'Cleo' });
    await expect(people.create('acme', newId('user'), { kind: 'user', name: 'Ada', email: 'ada@acme.example' })).rejects.toMatchObject({
      code: 'conflict',
    });
    await expect(sql`UPDATE audit SET outcome = 'x'`.execute(store.db)).rejects.toThrow('append-only');
    const audit = new AuditLog({ db: store.db, now: Date.now, random: randomBytes });
    const [before] = await audit.list('acme', { limit: 1 });
    if (before === undefined) throw new Error('the audit is empty');
    await audit.record({
      ...{ at: 1, request: 'r', actor: 'a', operation: 'o', org: 'acme', tenant: '', target: '' },
      outcome: 'done',
      evidence: '',
    });
    const [after] = await audit.list('acme', { limit: 1 });
    expect(after).toMatchObject({ position: before.position + 1, leaf: before.leaf + 1 });
    await expectInLog(store, audit);
  });

  test('a job is done by one at a time; it is free again when it is done, also badly, and when its time is over', async () => {
    const { db } = await opened(await freshAddress(database));
    let at = 1000;
    const leases = (owner: string): JobLeases => new JobLeases(db, { owner, now: () => at, leaseMs: 60_000 });
    const [one, two] = [leases('one'), leases('two')];
    const held = Promise.withResolvers<string>();
    const begun = Promise.withResolvers<void>();
    const first = one.run('job', async () => {
      begun.resolve();
      return await held.promise;
    });
    await begun.promise;
    const again = async (): Promise<string> => 'done';
    expect(await two.run('job', again)).toBeUndefined();
    expect(await one.run('job', again)).toBeUndefined();
    expect(await two.run('other job', again)).toBe('done');
    held.resolve('first');
    expect(await first).toBe('first');
    expect(await two.run('job', again)).toBe('done');
    await expect(one.run('job', () => Promise.reject(new Error('badly')))).rejects.toThrow('badly');
    expect(await two.run('job', again)).toBe('done');

    void one.run('job', () => new Promise(() => undefined));
    await expect.poll(() => two.run('job', again)).toBeUndefined();
    at += 60_000;
    expect(await two.run('job', again)).toBe('done');
  });

  test('who works on keeps a job beyond its time, and learns when another has taken it', async () => {
    const { db } = await opened(await freshAddress(database));
    let at = 1000;
    let ahead = 0;
    const [one, two] = [
      new JobLeases(db, { owner: 'one', now: () => at, leaseMs: 60 }),
      new JobLeases(db, { owner: 'two', now: () => at + ahead, leaseMs: 60 }),
    ];
    const lost = one.run('job', (signal) => once(signal, 'abort'));
    for (let step = 0; step < 5; step++) {
      at += 40;
      const endsAt = async (): Promise<unknown> => (await db.selectFrom('job_leases').select('ends_at').executeTakeFirst())?.ends_at;
      await expect.poll(endsAt).toBe(at + 60);
      expect(await two.run('job', async () => 'taken')).toBeUndefined();
    }
    // As if the first had not been able to renew it.
    ahead = 1000;
    await two.run('job', () => lost);
  });

  test('a renewal that is on its way when the work ends comes before the word that the job is free', async () => {
    const { db } = await opened(await freshAddress(database));
    const onWay = { now: 0, most: 0 };
    const renewing = Promise.withResolvers<void>();
    const slow = db.withPlugin({
      transformQuery: ({ node }) => {
        onWay.now += 1;
        onWay.most = Math.max(onWay.most, onWay.now);
        if (node.kind === 'UpdateQueryNode') renewing.resolve();
        return node;
      },
      transformResult: async ({ result }) => {
        await turn();
        onWay.now -= 1;
        return result;
      },
    });
    await new JobLeases(slow, { owner: 'one', now: Date.now, leaseMs: 60 }).run('job', () => renewing.promise);
    expect(onWay).toEqual({ now: 0, most: 1 });
    const { ends_at: endsAt } = await db.selectFrom('job_leases').select('ends_at').executeTakeFirstOrThrow();
    expect(endsAt).toBe(0);
  });
});

test('the job of a process that was killed is taken over', async () => {
  const address = await postgres.database();
  const { db } = await opened({ postgres: address });
  const child = spawn(process.execPath, [HOLD_JOB, address, '5000'], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const leases = new JobLeases(db, { owner: 'heir', now: Date.now });
  const take = (): Promise<string | undefined> => leases.run('job', async () => 'taken over');
  expect(await take()).toBeUndefined();
  child.kill('SIGKILL');
  await expect.poll(take, { timeout: 30_000 }).toBe('taken over');
});

test('two control planes on one Postgres make the key of a tenant once', async () => {
  const kms = await testKms('software', { epochsPerOrg: 1000 });
  await pinAdmins(kms, 'acme');
  const store = { postgres: await postgres.database() };
  const { db } = await opened(store);
  const [name, created_at, version] = ['x', 1, 1];
  const org = {
    id: 'acme',
    name,
    branding: '{}',
    features: '[]',
    plan: 'trial',
    jurisdiction: 'CH',
    key_policy: '{}',
    version,
    created_at,
  };
  await db.insertInto('orgs').values(org).execute();
  const ids = Array.from({ length: 20 }, (_, at) => `hall-${at}`);
  await db
    .insertInto('tenants')
    .values(ids.map((id) => ({ org: 'acme', id, name, policies: '{}', state: 'making' as const, version, created_at })))
    .execute();
  await Promise.all([TestCloud.start(kms, store), TestCloud.start(kms, store)]);
  const waiting = (): Promise<object[]> => db.selectFrom('tenants').select('id').where('state', '=', 'making').execute();
  await expect.poll(waiting, { timeout: 30_000 }).toEqual([]);
  const asked = (await kms.audit()).filter(({ operation, phase }) => operation === 'createEpoch' && phase === 'answered');
  expect(asked.map(({ tenant }) => tenant).toSorted()).toEqual(ids.toSorted());
});

test('two control planes that are sent one request under one key at a time make one thing', async () => {
  const kms = await testKms('software');
  const store = { postgres: await postgres.database() };
  const clouds = [await TestCloud.start(kms, store), await TestCloud.start(kms, store)] as const;
  for (let round = 0; round < 10; round++) {
    const body = { id: `org-${round}`, name: 'Org', jurisdiction: 'CH' };
    const key = { 'idempotency-key': `the key of ${round}`.replaceAll(' ', '-') };
    const ask = async (cloud: TestCloud) => await cloud.ask(await cloud.issuer.token(LOCAL_OPERATOR, ''), 'POST', '/v1/orgs', body, key);
    const statuses = (await Promise.all(clouds.map(ask))).map(({ status }) => status);
    expect(statuses).toContain(201);
    for (const status of statuses) expect([201, 409]).toContain(status);
    expect((await ask(clouds[1])).status).toBe(201);
  }
});
