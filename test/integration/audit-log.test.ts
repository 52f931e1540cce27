import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { followLog } from '../../shared/audit/follow-log.ts';
import { verifyConsistency } from '../../shared/crypto/merkle/verify-consistency.ts';
import { verifyInclusion } from '../../shared/crypto/merkle/verify-inclusion.ts';
import { pinAdmins } from '../helpers/cloud.ts';
import { type TestKms, testKms } from '../helpers/kms.ts';
import { LogPlace, leafOf } from '../helpers/log-place.ts';
import { startPostgres, type TestPostgres } from '../helpers/postgres.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const APPEND = join(import.meta.dirname, '../fixtures/append-entries.ts');

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);
afterAll(async () => postgres.stop());

const bytes = (hash: string): Buffer => Buffer.from(hash, 'base64url');

/** Every entry has its leaf, in one sequence without a gap, and is under the head. */
async function expectWhole(place: LogPlace): Promise<void> {
  const { size, root } = await place.head();
  const entries = await place.entries();
  expect(entries.map(({ leaf }) => leaf)).toEqual(Array.from({ length: size }, (_, leaf) => leaf));
  for (const entry of entries) {
    const proof = (await place.tree.inclusion(entry.leaf, size)).map(bytes);
    expect(verifyInclusion({ index: entry.leaf, size, leaf: leafOf(entry), root: bytes(root), proof })).toBe(true);
  }
  const times = entries.map(({ loggedAt }) => loggedAt);
  expect(times).toEqual(times.toSorted((one, other) => one - other));
}

describe.each(['SQLite', 'Postgres'])('the log on %s', (database) => {
  let kms: TestKms;
  async function freshPlace(): Promise<LogPlace> {
    kms = await testKms('software');
    const address = database === 'SQLite' ? { file: join(await tempFolder(), 'cloud.db') } : { postgres: await postgres.database() };
    return await LogPlace.open(address, kms.client);
  }

  test('holds each entry from when it is recorded, also many that come together', async () => {
    const place = await freshPlace();
    expect(await place.head()).toMatchObject({ size: 0 });
    await place.act('first');
    await Promise.all(Array.from({ length: 700 }, (_, number) => place.audit.record(place.entry(`t-${number}`))));
    const entries = await place.entries();
    expect(entries).toHaveLength(701);
    expect(new Set(entries.map(({ salt }) => salt)).size).toBe(701);
    await expectWhole(place);
  });

  test('has heads of which each goes on where the one before ended, however the clock goes', async () => {
    const place = await freshPlace();
    const heads = [];
    for (let round = 0; round < 9; round++) {
      await place.act(...Array.from({ length: round * 3 + 1 }, (_, number) => `${round}-${number}`));
      heads.push(await place.head());
      // Set back by an hour, and ahead.
      if (round === 4) place.time -= 3_600_000;
    }
    for (const [index, from] of heads.entries()) {
      for (const to of heads.slice(index)) {
        const proof = (await place.tree.consistency(from.size, to.size)).map(bytes);
        const [one, other] = [from, to].map(({ size, root }) => ({ size, root: bytes(root) }));
        if (one && other) expect(verifyConsistency(one, other, proof)).toBe(true);
        expect(to.at).toBeGreaterThanOrEqual(from.at);
      }
    }
    await expectWhole(place);
  });

  test('asks the HSM for no signature where nothing was added', async () => {
    const place = await freshPlace();
    await place.act('one');
    const { token } = await place.head();
    const asked = (await kms.audit()).length;
    expect((await place.head()).token).toBe(token);
    expect(await kms.audit()).toHaveLength(asked);
    await place.act('two');
    expect((await place.head()).size).toBe(2);
  });

  test('takes an entry back with what it was recorded with', async () => {
    const place = await freshPlace();
    const failing = place.store.db.transaction().execute(async (within) => {
      await place.audit.recordWithin(within, place.entry('undone'));
      throw new Error('undone');
    });
    await expect(failing).rejects.toThrow('undone');
    await place.store.db.transaction().execute((within) => place.audit.recordWithin(within, place.entry('done')));
    expect((await place.entries()).map(({ target }) => target)).toEqual(['done']);
    await expectWhole(place);
  });

  test('lets one that cannot be written fail alone', async () => {
    const place = await freshPlace();
    const bad = { ...place.entry('bad'), org: null as unknown as string };
    const all = await Promise.allSettled([place.entry('a'), place.entry('b'), bad, place.entry('c')].map((one) => place.audit.record(one)));
    expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    await expectWhole(place);
  });

  test('is changed by no statement; an entry can be erased, and its leaf stays', async () => {
    const place = await freshPlace();
    await place.act('one', 'two', 'three');
    const before = await place.head();
    const { db } = place.store;
    await expect(sql`UPDATE audit SET outcome = 'x'`.execute(db)).rejects.toThrow('append-only');
    await expect(sql`UPDATE log_tiles SET hashes = '' WHERE level = 0`.execute(db)).rejects.toThrow('append-only');
    await expect(sql`UPDATE log_tiles SET hashes = substr(hashes, 44)`.execute(db)).rejects.toThrow('append-only');
    await expect(sql`DELETE FROM log_tiles`.execute(db)).rejects.toThrow('append-only');
    await sql`DELETE FROM audit WHERE target = 'two'`.execute(db);
    await place.act('four');
    const [one, three] = await place.entries();
    const { size, root } = await place.head();
    for (const entry of [one, three]) {
      if (entry === undefined) throw new Error('an entry is missing');
      const proof = (await place.tree.inclusion(entry.leaf, size)).map(bytes);
      expect(verifyInclusion({ index: entry.leaf, size, leaf: leafOf(entry), root: bytes(root), proof })).toBe(true);
    }
    expect((await followLog(before.token, await place.heads.update(before), [place.key])).head.size).toBe(4);
  });

  test('has no proofs of what is not in it', async () => {
    const place = await freshPlace();
    await place.act('one', 'two');
    const refused = { code: 'invalid_request' };
    await expect(place.tree.inclusion(2, 2)).rejects.toMatchObject(refused);
    await expect(place.tree.inclusion(0, 3)).rejects.toMatchObject(refused);
    await expect(place.tree.consistency(2, 1)).rejects.toMatchObject(refused);
    await expect(place.tree.consistency(1, 3)).rejects.toMatchObject(refused);
    expect(await place.tree.tile({ level: 3, number: 7 })).toEqual([]);
  });

  test('goes on under a new id after a declared fork', async () => {
    const place = await freshPlace();
    await place.act('one', 'two');
    const before = await place.head();
    const fork = await place.heads.declareFork(place.time);
    expect(fork).toMatchObject({ of: before.log, size: 2, root: before.root });
    await place.act('three');
    const { head, forks } = await followLog(before.token, await place.heads.update(before), [place.key]);
    expect(forks).toEqual([fork]);
    expect(head).toMatchObject({ log: fork.log, size: 3 });
  });
});

describe('what the KMS did', () => {
  const told = async (place: LogPlace) =>
    (await place.store.db.selectFrom('audit').selectAll().orderBy('leaf').execute()).map(({ operation, org, target, outcome }) =>
      [operation, org, target, outcome].join(' '),
    );

  test('is in the log with the hash of its own line, once, whoever fetches it', async () => {
    const kms = await testKms('software');
    const address = await postgres.database();
    const [one, two] = [await LogPlace.open({ postgres: address }, kms.client), await LogPlace.open({ postgres: address }, kms.client)];
    await pinAdmins(kms, 'acme');
    const cell = { org: 'acme', tenant: 'hall', epoch: 1 };
    await kms.client.call('createEpoch', cell);
    await expect(kms.client.call('createEpoch', { ...cell, org: 'other' })).rejects.toMatchObject({ code: 'admins_missing' });
    await kms.client.call('listEpochs', { org: 'acme', tenant: 'hall' });
    await kms.client.call('signingKey', { use: 'commands' });
    await kms.client.call('sign', { use: 'commands', messages: [Buffer.from('x')] });
    await Promise.all([one.head(), two.head()]);
    const expected = [
      'kms.pinAdmins acme  done',
      'kms.createEpoch acme 1 done',
      'kms.createEpoch other 1 admins_missing',
      'kms.sign  commands done',
    ];
    expect(await told(one)).toEqual(expected);
    const lines = (await readFile(join(kms.dataDir, 'audit.jsonl'), 'utf8')).trim().split('\n');
    const hashes = lines.map((line) => createHash('sha256').update(line).digest('base64url'));
    for (const { evidence } of await one.entries()) expect(hashes).toContain(evidence);
    // The signature of a head is no reason for another one.
    const { size } = await one.head();
    await two.head();
    expect((await one.head()).size).toBe(size);
    await kms.client.call('denyDevice', { device: `box_${'a'.repeat(26)}` });
    await one.head();
    expect(await told(one)).toEqual([...expected, `kms.denyDevice  box_${'a'.repeat(26)} done`]);
  });

  test('is read anew, and said, where the KMS has lost some of it', async () => {
    const kms = await testKms('software');
    const place = await LogPlace.open({ file: join(await tempFolder(), 'cloud.db') }, kms.client);
    for (const letter of ['a', 'b']) await kms.client.call('denyDevice', { device: `box_${letter.repeat(26)}` });
    await place.head();
    const file = join(kms.dataDir, 'audit.jsonl');
    const lines = (await readFile(file, 'utf8')).split('\n');
    await writeFile(file, lines.filter((line) => !line.includes('denyDevice')).join('\n'));
    await appendFile(file, '{"at":"2026-11-22T10:0\n');
    await kms.client.call('denyDevice', { device: `box_${'c'.repeat(26)}` });
    await place.head();
    const outcomes = (await told(place)).map((line) => line.replaceAll(/box_(.)\1+/g, '$1'));
    expect(outcomes).toEqual([
      'kms.denyDevice  a done',
      'kms.denyDevice  b done',
      'kms.audit   kms_audit_truncated',
      'kms.audit   storage_failed',
      'kms.denyDevice  c done',
    ]);
  });

  test('is read anew, and said, where the KMS has lost some of it and what came since ends where that had ended', async () => {
    const kms = await testKms('software');
    const place = await LogPlace.open({ file: join(await tempFolder(), 'cloud.db') }, kms.client);
    const deny = (letter: string) => kms.client.call('denyDevice', { device: `box_${letter.repeat(26)}` });
    await deny('a');
    await place.head();
    const file = join(kms.dataDir, 'audit.jsonl');
    const before = await readFile(file, 'utf8');
    // As long as it was, line by line.
    await writeFile(file, before.replaceAll('a'.repeat(26), 'b'.repeat(26)).replaceAll(/"call":"./g, '"call":"-'));
    await deny('c');
    await place.head();
    const outcomes = (await told(place)).map((line) => line.replaceAll(/box_(.)\1+/g, '$1'));
    expect(outcomes).toEqual([
      'kms.denyDevice  a done',
      'kms.audit   kms_audit_truncated',
      'kms.denyDevice  b done',
      'kms.denyDevice  c done',
    ]);
  });
});

describe('processes on one Postgres', () => {
  function appending(address: string, name: string, count: number) {
    const child = spawn(process.execPath, [APPEND, address, name, String(count)], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    return child;
  }

  test('append one sequence, and whatever one said before it was killed is in it, under the next head', async () => {
    const address = await postgres.database();
    const place = await LogPlace.open({ postgres: address }, (await testKms('software')).client);
    const [one, two, killed] = [appending(address, 'one', 300), appending(address, 'two', 300), appending(address, 'killed', 3000)];
    const told = [one, two, killed].map(({ stdout }) => text(stdout));
    let heard = '';
    killed.stdout.on('data', (chunk: Buffer) => {
      heard += chunk.toString();
      if (heard.includes('recorded')) killed.kill('SIGKILL');
    });
    const heads = [];
    const gone = Promise.all([one, two, killed].map((child) => once(child, 'close')));
    let isOver = false;
    void gone.then(() => {
      isOver = true;
    });
    while (!isOver) heads.push(await place.head());
    await gone;
    const recorded = (await Promise.all(told)).flatMap((lines) => [...lines.matchAll(/^recorded (.+)$/gm)].map(([, target]) => target));
    const targets = (await place.entries()).map(({ target }) => target);
    expect(targets).toEqual(expect.arrayContaining(recorded));
    expect(targets.filter((target) => !target.startsWith('killed'))).toHaveLength(600);
    expect(recorded.some((target) => target?.startsWith('killed'))).toBe(true);
    await expectWhole(place);
    for (const head of heads) await followLog(head.token, await place.heads.update(head), [place.key]);
  }, 180_000);
});
