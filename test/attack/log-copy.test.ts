import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { signByAuditKey } from '../../cloud/audit/sign-by-audit-key.ts';
import type { KmsClient } from '../../cloud/kms/client.ts';
import { type VerifiedCopy, verifyCopy } from '../../provisioning/audit/verify-copy.ts';
import { checkpointName, keyChangeName, tileName } from '../../shared/audit/copy-names.ts';
import { followLog } from '../../shared/audit/follow-log.ts';
import { LOG_HEAD_TYPE, readHead } from '../../shared/audit/log-tokens.ts';
import { Bucket } from '../../shared/s3/bucket.ts';
import { CopyPlace, READER_RIGHTS, WRITER_RIGHTS } from '../helpers/copy-place.ts';
import { testKms } from '../helpers/kms.ts';
import { LogPlace } from '../helpers/log-place.ts';
import { startPostgres, type TestPostgres } from '../helpers/postgres.ts';
import { rewriteLog } from '../helpers/rewrite-log.ts';
import { S3Fake } from '../helpers/s3-fake/s3-fake.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const COPY_LOG = join(import.meta.dirname, '../fixtures/copy-log.ts');
const HOW = (how: string) => ({ code: 'log_copy_differs', details: { how } });

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);
afterAll(async () => postgres.stop());

/** A log, its copy, and an auditor who may read the bucket and nothing else. */
class Copied {
  readonly place: LogPlace;
  readonly kms: KmsClient;
  readonly store: S3Fake;
  readonly one: CopyPlace;
  /** Address of its Postgres. */
  readonly database: string;
  readonly #reader: Bucket;

  private constructor(place: LogPlace, kms: KmsClient, store: S3Fake, one: CopyPlace, reader: Bucket, database: string) {
    this.database = database;
    this.place = place;
    this.kms = kms;
    this.store = store;
    this.one = one;
    this.#reader = reader;
  }

  static async start({ onPostgres = false, ...how }: { onPostgres?: boolean } & Parameters<typeof S3Fake.start>[0] = {}): Promise<Copied> {
    const store = await S3Fake.start(how);
    const database = onPostgres ? await postgres.database() : '';
    const address = onPostgres ? { postgres: database } : { file: join(await tempFolder(), 'cloud.db') };
    const { client } = await testKms('software');
    const place = await LogPlace.open(address, client);
    const reader = await Bucket.open(await store.account(...READER_RIGHTS), new AbortController().signal);
    onTestFinished(() => reader.close());
    return new Copied(place, client, store, await CopyPlace.start(place, store), reader, database);
  }

  /** Records so many entries, many at a time. */
  async grow(count: number): Promise<void> {
    this.place.time += 1000;
    await Promise.all(Array.from({ length: count }, (_, number) => this.place.audit.record(this.place.entry(`guest-${number}`))));
  }

  /** Another process, which knows nothing but what is in database and bucket. */
  async restarted(): Promise<CopyPlace> {
    return await CopyPlace.start(this.place, this.store);
  }

  async audit(seen?: string): Promise<VerifiedCopy> {
    return await verifyCopy(this.#reader, this.place.key, { seen });
  }

  /** The auditor holds the copy against what the control plane tells. */
  async auditOnline(): Promise<void> {
    const { token, head } = await this.audit();
    this.place.time += 2000;
    await this.place.heads.latest();
    await followLog(token, await this.place.heads.update(head), [this.place.key]);
  }

  /** What the log says of its copy. */
  async alarms(): Promise<string[]> {
    return (await this.place.entriesOf('')).filter(({ operation }) => operation === 'audit.copy').map(({ outcome }) => outcome);
  }

  /** Looks so often, and tells of what came of it. */
  async look(times: number): Promise<{ readonly problem: string; readonly failures: object }> {
    const { job, records } = await this.restarted();
    for (let round = 0; round < times; round++) {
      await job.look();
      this.place.time += 1000;
    }
    return { problem: (await records.read()).record.problem, failures: job.failures };
  }

  /** Nothing was put over anything, and nothing was removed. */
  expectOneOfEach(): void {
    const all = this.store.objects.all();
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  }
}

describe('the copy of the log', () => {
  test('holds each tile and the heads once, locked, and an auditor needs nothing else', async () => {
    const copied = await Copied.start();
    const { log } = readHead((await copied.place.heads.update(undefined)).head);
    let seen: string | undefined;
    for (const more of [3, 250, 3, 600, 1]) {
      await copied.grow(more);
      const { size } = await copied.one.copy();
      const verified = await copied.audit(seen);
      expect(verified).toMatchObject({ head: { log, size }, checked: 1 });
      seen = verified.token;
    }
    expect((await copied.audit()).checked).toBe(5);
    copied.expectOneOfEach();
    const { names } = copied.store.objects;
    expect(names).toContain(`log/${tileName(log, { level: 0, number: 2 }, 256)}`);
    expect(names).toContain(`log/${log}/tile/0/003.p/89`);
    expect(names).toContain(`log/${log}/tile/1/000.p/3`);
    expect(names).toContain(`log/${checkpointName(log, 857)}`);
    const year = 365 * 86_400_000;
    expect((await copied.audit()).lockedUntil.getTime()).toBeGreaterThan(copied.place.time + 9 * year);
    expect(copied.store.asked.filter((line) => line.startsWith('DELETE'))).toEqual([]);
    // Where nothing is new, nothing is put.
    const puts = (): number => copied.store.asked.filter((line) => line.startsWith('PUT')).length;
    const before = puts();
    await copied.one.copy();
    expect(puts()).toBe(before);
  });

  test('is followed over a change of the key that signs heads, by whoever has pinned the one before', async () => {
    const copied = await Copied.start();
    await copied.grow(3);
    await copied.one.copy();
    const { token } = await copied.audit();
    await copied.kms.call('changeKey', { use: 'audit' });
    await copied.grow(300);
    const { size } = await copied.one.copy();
    expect(await copied.audit(token)).toMatchObject({ head: { size }, checked: 1 });
    expect(await copied.audit()).toMatchObject({ head: { size }, checked: 2 });
    await copied.auditOnline();
    copied.expectOneOfEach();
  });

  test('does not go on by a key that was retired before, whoever has it', async () => {
    const copied = await Copied.start();
    const { kms, place, store } = copied;
    await copied.grow(9);
    const { token: _, ...honest } = await place.head();
    await copied.grow(3);
    await copied.one.copy();
    // The honest copy ends earlier, under the next key; what comes after it, the one before has signed.
    await kms.call('changeKey', { use: 'audit' });
    const [word = ''] = (await kms.call('keyHistory', { use: 'audit' })).changes;
    const put = (name: string, text: string): unknown =>
      store.objects.put(`log/${name}`, { body: Buffer.from(text), lockedUntil: Date.now() + 1e10 });
    put(keyChangeName(honest.log, 0), word);
    expect((await copied.audit()).head.size, 'the next key has signed no head yet').toBe(12);
    put(checkpointName(honest.log, honest.size), await signByAuditKey(kms, LOG_HEAD_TYPE, honest));
    await expect(copied.audit()).rejects.toMatchObject({ code: 'log_head_rejected' });
    await copied.grow(1);
    const { size } = await copied.one.copy();
    expect(await copied.audit(), 'what the present key signs holds').toMatchObject({ head: { size }, checked: 3 });
  });

  test('holds hashes and signed heads, and nothing of what was done', async () => {
    const copied = await Copied.start();
    await copied.grow(300);
    await copied.one.copy();
    for (const { name, version } of copied.store.objects.all()) {
      const body = version.body ?? Buffer.alloc(0);
      if (name.includes('/tile/')) expect(body.length % 32).toBe(0);
      else expect(Object.keys(decodeJwt(body.toString())).toSorted()).toEqual(['at', 'log', 'root', 'size']);
      for (const told of ['guest-', 'usr_a', 'acme']) expect(`${name} ${body.toString('latin1')}`).not.toContain(told);
    }
  });

  test('goes on after the process died at any of its requests and before it heard of it', async () => {
    const copied = await Copied.start();
    await copied.grow(600);
    await copied.place.head();
    for (let left = 0, isDone = false; !isDone; left++) {
      for (const fault of ['cut-before', 'cut-after'] as const) {
        let count = 0;
        copied.store.fault = () => (count++ < left ? undefined : fault);
        isDone = await (await copied.restarted()).job.look();
        // Its lease ends with it.
        copied.place.time += 60_000;
        copied.store.fault = () => undefined;
        // A head is there after its tree.
        if (copied.store.objects.names.some((name) => name.includes('/checkpoint/'))) await copied.audit();
      }
      expect(left).toBeLessThan(60);
    }
    copied.store.fault = () => undefined;
    expect((await copied.audit()).head.size).toBeGreaterThanOrEqual(600);
    copied.expectOneOfEach();
  }, 120_000);

  test('goes on after kill -9 between what was put and the word that it was', async () => {
    const copied = await Copied.start({ onPostgres: true });
    await copied.grow(300);
    const { log, size } = await copied.place.head();
    const bucket = JSON.stringify(await copied.store.account(...WRITER_RIGHTS));
    const held = Promise.withResolvers<void>();
    copied.store.fault = (method, name) => {
      if (method !== 'PUT' || name !== `log/${checkpointName(log, size)}`) return undefined;
      held.resolve();
      return 'hang-after';
    };
    const child = spawn(process.execPath, [COPY_LOG, copied.database, bucket], { stdio: ['ignore', 'ignore', 'inherit'] });
    await held.promise;
    await expect.poll(() => copied.store.objects.names).toContain(`log/${checkpointName(log, size)}`);
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    expect((await copied.one.records.read()).record.size).toBe(0);
    copied.store.fault = () => undefined;
    await copied.one.copy();
    expect((await copied.one.records.read()).record).toMatchObject({ size, problem: '' });
    expect((await copied.audit()).head.size).toBe(size);
    copied.expectOneOfEach();
  });
});

describe('an object store that fails', () => {
  test('is caught up with after days, whatever it answers meanwhile', async () => {
    const copied = await Copied.start();
    await copied.grow(10);
    await copied.one.copy();
    await copied.store.stop();
    for (let day = 0; day < 3; day++) {
      await copied.grow(500);
      await expect(copied.one.copy()).rejects.toMatchObject({ code: 'bucket_unavailable' });
      copied.place.time += 86_400_000;
    }
    expect(await copied.look(2)).toEqual({ problem: 'bucket_unavailable', failures: { bucket_unavailable: 2 } });
    expect(await copied.alarms()).toEqual([]);
    await copied.store.listen();
    let count = 0;
    const faults = ['cut-before', 'internal-error', 'cut-after'] as const;
    copied.store.fault = () => (++count < 60 && count % 5 > 1 ? faults[count % 3] : undefined);
    await expect.poll(async () => (await copied.look(1)).problem, { timeout: 60_000, interval: 10 }).toBe('');
    expect(count).toBeGreaterThan(60);
    const { record, leaves } = await copied.one.records.read();
    expect([record.size, record.copied_at]).toEqual([leaves, expect.any(Number)]);
    expect((await copied.audit()).head.size).toBe(leaves);
    copied.expectOneOfEach();
  }, 120_000);

  test.each([
    ['has no Object Lock', { objectLock: false }],
    ['keeps no versions', { objectLock: false, versioning: false }],
  ])('and %s gets nothing, which the log tells once', async (_why, how) => {
    const copied = await Copied.start(how);
    await copied.grow(3);
    await copied.place.head();
    expect(await copied.look(3)).toEqual({ problem: 'log_bucket_unlocked', failures: { log_bucket_unlocked: 3 } });
    expect(await copied.alarms()).toEqual(['log_bucket_unlocked']);
    expect(copied.store.objects.names).toEqual([]);
  });

  test('and only says that it locks is found out with the first head', async () => {
    const copied = await Copied.start({ forgetsLocks: true });
    await copied.grow(3);
    await expect(copied.one.copy()).rejects.toMatchObject({ code: 'log_bucket_unlocked' });
    await expect(copied.audit()).rejects.toMatchObject({ code: 'log_bucket_unlocked' });
  });

  test('and lists without end is told, and keeps nobody at it', async () => {
    const copied = await Copied.start();
    await copied.grow(3);
    await copied.one.copy();
    copied.store.listsOn = true;
    await expect(copied.audit()).rejects.toMatchObject({ code: 'bucket_refused' });
    expect(await copied.look(1)).toMatchObject({ problem: 'bucket_refused' });
  });

  test('and refuses is told in the log; the copy goes on when it does not any more', async () => {
    const copied = await Copied.start();
    await copied.grow(3);
    await copied.place.head();
    copied.store.fault = () => 'redirect';
    expect(await copied.look(2)).toMatchObject({ problem: 'bucket_refused' });
    expect(await copied.alarms()).toEqual(['bucket_refused']);
    copied.store.fault = () => undefined;
    expect(await copied.look(1)).toEqual({ problem: '', failures: {} });
  });
});

describe('two processes', () => {
  test('put each object once, also where both are at work', async () => {
    const copied = await Copied.start({ onPostgres: true });
    const bucket = await copied.store.account(...WRITER_RIGHTS);
    const [one, two] = [new CopyPlace(copied.place, bucket, 'one'), new CopyPlace(copied.place, bucket, 'two')];
    await copied.grow(600);
    await copied.place.head();
    expect(await Promise.all([one.job.look(), two.job.look()])).toEqual([true, true]);
    await copied.grow(600);
    // As where the lease of one has run out and it does not know.
    await copied.place.head();
    await Promise.all([one.copy(), two.copy()]);
    const { leaves, record } = await one.records.read();
    expect(record).toMatchObject({ size: leaves, tiled: leaves - (leaves % 256), problem: '' });
    expect((await copied.audit()).head.size).toBe(leaves);
    copied.expectOneOfEach();
  });
});

/** What whoever runs the control plane can do, and whoever has the bucket. */
describe('whoever rewrites the log', () => {
  const LIES: [string, Parameters<typeof rewriteLog>[1], string][] = [
    ['changes an entry', (all) => all.with(2, { ...(all[2] as (typeof all)[number]), outcome: 'forbidden' }), 'log_forked'],
    ['drops one', (all) => all.toSpliced(2, 1), 'log_truncated'],
    ['cuts off the end', (all) => all.slice(0, 4), 'log_truncated'],
  ];
  test.each(LIES)('and %s is caught by the copy: by the control plane itself, and by an auditor', async (_what, lie, code) => {
    const copied = await Copied.start();
    await copied.grow(9);
    await copied.one.copy();
    await copied.auditOnline();
    await rewriteLog(copied.place, lie);
    await expect(copied.auditOnline()).rejects.toMatchObject({ code });
    expect(await copied.look(2)).toMatchObject({ problem: 'log_copy_differs' });
    expect(await copied.alarms()).toEqual(['log_copy_differs']);
  });

  test.each(LIES)('and %s, and forgets that there was a copy, is caught when it has grown again', async (_what, lie) => {
    const copied = await Copied.start();
    await copied.grow(9);
    await copied.one.copy();
    await rewriteLog(copied.place, lie);
    await copied.place.store.db.deleteFrom('log_copies').execute();
    await copied.grow(20);
    await copied.place.head();
    expect(await copied.look(2)).toMatchObject({ problem: 'log_copy_differs' });
    await expect(copied.auditOnline()).rejects.toMatchObject({ code: 'log_forked' });
  });

  test('with a program of his own, which puts his history beside the other, is caught by an auditor without the control plane', async () => {
    const copied = await Copied.start();
    await copied.grow(9);
    const { log } = await copied.one.copy();
    const { token: seen } = await copied.audit();
    await rewriteLog(copied.place, (all) => all.slice(0, 5));
    await copied.grow(20);
    const { token, size } = await copied.place.head();
    const locked = { lockedUntil: Date.now() + 1e10 };
    const hashes = (await copied.place.tree.tile({ level: 0, number: 0 })).map((hash) => Buffer.from(hash, 'base64url'));
    copied.store.objects.put(`log/${tileName(log, { level: 0, number: 0 }, size)}`, { body: Buffer.concat(hashes), ...locked });
    copied.store.objects.put(`log/${checkpointName(log, size)}`, { body: Buffer.from(token), ...locked });
    await expect(copied.audit()).rejects.toMatchObject({ code: 'log_forked' });
    await expect(copied.audit(seen)).rejects.toMatchObject({ code: 'log_forked' });
  });

  test('and declares a fork is believed as far as it goes', async () => {
    const copied = await Copied.start();
    await copied.grow(300);
    await copied.one.copy();
    const { token: seen } = await copied.audit();
    const backupAt = copied.place.time;
    await copied.grow(5);
    await copied.one.copy();
    await rewriteLog(copied.place, (all) => all.slice(0, 302));
    expect(await copied.look(1)).toMatchObject({ problem: 'log_copy_differs' });
    const { log } = await copied.place.heads.declareFork(backupAt);
    expect(await copied.look(1)).toMatchObject({ problem: '' });
    await copied.grow(3);
    await copied.one.copy();
    const verified = await copied.audit(seen);
    expect(verified).toMatchObject({ head: { log }, forks: [{ log, size: 300 }] });
    await copied.auditOnline();
  });
});

describe('whoever has the bucket', () => {
  const DEEDS: [string, string, (store: S3Fake, name: string) => void][] = [
    ['puts another tile over one', 'replaced', (store, name) => store.objects.put(name, { body: Buffer.alloc(256 * 32), lockedUntil: Date.now() + 1e10 })], // biome-ignore format: one line each
    ['removes one, as far as one can', 'removed', (store, name) => void store.objects.remove(name)],
  ];
  test.each(DEEDS)('and %s is seen by control plane and auditor', async (_what, how, deed) => {
    const copied = await Copied.start();
    await copied.grow(300);
    const { log } = await copied.one.copy();
    deed(copied.store, `log/${tileName(log, { level: 0, number: 0 }, 256)}`);
    await expect(copied.audit()).rejects.toMatchObject(HOW(how));
    await expect((await copied.restarted()).copy()).rejects.toMatchObject(HOW(how));
  });

  test('and puts another head over one, or takes one away, is seen the next time', async () => {
    const copied = await Copied.start();
    await copied.grow(9);
    const { log, size } = await copied.one.copy();
    const name = `log/${checkpointName(log, size)}`;
    copied.store.objects.remove(name);
    await expect(copied.one.copy()).rejects.toMatchObject(HOW('missing'));
    copied.store.objects.put(name, { body: Buffer.from('another') });
    await expect(copied.one.copy()).rejects.toMatchObject(HOW('other'));
  });

  test('and was there first with something else stops the copy, which says so', async () => {
    const copied = await Copied.start();
    await copied.grow(3);
    const { log } = await copied.one.copy();
    await copied.grow(300);
    await copied.place.head();
    copied.store.objects.put(`log/${tileName(log, { level: 0, number: 0 }, 256)}`, { body: Buffer.alloc(256 * 32) });
    for (let round = 0; round < 3; round++) expect(await copied.one.job.look()).toBe(false);
    expect(copied.one.job.failures).toEqual({ log_copy_differs: 3 });
    expect(await copied.alarms()).toEqual(['log_copy_differs']);
  });

  test('finds an auditor who believes no key but his, and no tile that does not make the root', async () => {
    const copied = await Copied.start();
    await copied.grow(300);
    const { log } = await copied.one.copy();
    const name = `log/${tileName(log, { level: 1, number: 0 }, 1)}`;
    const body = copied.store.objects.current(name)?.body as Buffer;
    const lockedUntil = Date.now() + 1e10;
    const reader = await Bucket.open(await copied.store.account(...READER_RIGHTS), new AbortController().signal);
    onTestFinished(() => reader.close());
    const other = await testKms('software');
    await expect(verifyCopy(reader, await other.client.call('signingKey', { use: 'audit' }))).rejects.toMatchObject({
      code: 'log_head_rejected',
    });
    const lying = (name: string, lie: Buffer): Parameters<typeof verifyCopy>[0] => ({
      versions: (beginning) => reader.versions(beginning),
      get: async (one) =>
        `log/${one}` === name ? { body: lie, lock: { mode: 'COMPLIANCE', until: new Date(lockedUntil) } } : await reader.get(one),
    });
    await expect(verifyCopy(lying(name, Buffer.alloc(32)), copied.place.key)).rejects.toMatchObject(HOW('other'));
    expect((await verifyCopy(lying(name, body), copied.place.key)).head.size).toBe(300);
    const leaves = `log/${tileName(log, { level: 0, number: 0 }, 256)}`;
    await expect(verifyCopy(lying(leaves, Buffer.alloc(256 * 32)), copied.place.key)).rejects.toMatchObject({ code: 'log_copy_differs' });
  });
});
