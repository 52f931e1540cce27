import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { HeldDatabase } from '../../cloud/store/held-database.ts';
import type { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { TestCloud } from '../helpers/cloud.ts';
import { CloudProcess, MAIN } from '../helpers/cloud-process.ts';
import { freePort } from '../helpers/free-port.ts';
import { testKms } from '../helpers/kms.ts';
import { startPostgres, type TestPostgres } from '../helpers/postgres.ts';
import { testLogger } from '../helpers/secrecy/test-logger.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const PATIENTLY = { timeout: 30_000 };

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);
afterAll(async () => postgres.stop());

describe.each(['SQLite', 'Postgres'])('a control plane with a broker of its own, on %s', (database) => {
  test('keeps a second one from its database, until it is killed', async () => {
    const [kms, folder] = [await testKms('software'), await tempFolder()];
    const env = { ...process.env, DATABASE_URL: database === 'Postgres' ? await postgres.database() : '' };
    const dataDir = join(folder, 'data');
    const prepare = async (name: string, itsDataDir: string) => {
      const [config, port] = [join(folder, `${name}.json`), await freePort()];
      const fleet = { port: await freePort(), broker: { port: await freePort() } };
      await writeFile(config, JSON.stringify({ dataDir: itsDataDir, api: { port }, fleet, kms: { socket: kms.socket } }));
      return { config, cloud: new CloudProcess(port, config, itsDataDir, env) };
    };
    const first = await prepare('first', dataDir);
    // On Postgres, nothing of the second one but the database is that of the first.
    const second = await prepare('second', database === 'Postgres' ? join(folder, 'other') : dataDir);
    await first.cloud.start();
    const refused = await promisify(execFile)(process.execPath, [MAIN, 'cloud', 'run', '--config', second.config, '--json'], { env }).catch(
      (error: { code: number; stdout: string; stderr: string }) => error,
    );
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('store_in_use') });
    expect((await first.cloud.ask('GET', '/v1/orgs')).status).toBe(200);
    await first.cloud.kill();
    await second.cloud.start();
    expect((await second.cloud.ask('GET', '/v1/orgs')).status).toBe(200);
  });
});

test('on Postgres, without a broker of their own, there are as many as anybody likes; on SQLite one, with and without', async () => {
  const kms = await testKms('software');
  const shared = { postgres: await postgres.database() };
  await TestCloud.start(kms, shared, { fleet: { port: 0 } });
  await TestCloud.start(kms, shared, { fleet: { port: 0 } });
  const file = { file: join(await tempFolder(), 'cloud.db') };
  const one = await TestCloud.start(kms, file);
  await expect(TestCloud.start(kms, file)).rejects.toMatchObject({ code: 'store_in_use' });
  await one.stop();
  await TestCloud.start(kms, file);
});

test('one whose connection to the database is lost takes its place again, and learns when another has taken it', async () => {
  const address = await postgres.database();
  const lost: SecureGateError[] = [];
  const hold = (): HeldDatabase => {
    const held = new HeldDatabase({ postgres: address, onLost: (error) => lost.push(error), logger: testLogger('cloud'), everyMs: 10 });
    onTestFinished(() => held.stop());
    return held;
  };
  const watcher = new pg.Client({ connectionString: address });
  await watcher.connect();
  onTestFinished(() => watcher.end());
  const holders = async (): Promise<number[]> => {
    const { rows } = await watcher.query("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted");
    return rows.map(({ pid }) => pid as number);
  };
  const cut = async (pid: number | undefined): Promise<void> => void (await watcher.query('SELECT pg_terminate_backend($1, 5000)', [pid]));

  await hold().start();
  const [first] = await holders();
  await cut(first);
  await expect.poll(holders, PATIENTLY).toHaveLength(1);
  const [again] = await holders();
  expect(again).not.toBe(first);
  await expect(hold().start()).rejects.toMatchObject({ code: 'store_in_use' });
  expect(lost).toEqual([]);

  // Somebody else is faster, and stays.
  const other = new pg.Client({ connectionString: address });
  await other.connect();
  onTestFinished(() => other.end());
  const { rows } = await watcher.query(
    "SELECT (classid::bigint << 32) | objid::bigint AS lock FROM pg_locks WHERE locktype = 'advisory' AND granted",
  );
  const waiting = other.query('SELECT pg_advisory_lock($1)', [rows[0]?.lock]);
  await expect
    .poll(async () => (await watcher.query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")).rowCount, PATIENTLY)
    .toBe(1);
  await cut(again);
  await waiting;
  await expect.poll(() => lost.map(({ code }) => code), PATIENTLY).toEqual(['store_in_use']);
});
