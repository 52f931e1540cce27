import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { noteSecret } from './secrecy/note-secret.ts';

/** Debian's packages put each version's programs into a folder of its own. */
const VERSIONS = '/usr/lib/postgresql';
const BIN = existsSync(VERSIONS)
  ? readdirSync(VERSIONS)
      .map((version) => join(VERSIONS, version, 'bin'))
      .at(-1)
  : undefined;

export interface TestPostgres {
  /** Makes an empty database. @returns its address */
  database(): Promise<string>;
  stop(): Promise<void>;
}

/** A Postgres of its own in a temporary folder, which listens on a Unix socket there. It refuses to run as root: then `postgres` runs it. */
export async function startPostgres(): Promise<TestPostgres> {
  if (BIN === undefined) throw new Error('Postgres is not installed: start the tests by npm test, which installs it');
  const folder = mkdtempSync(join(tmpdir(), 'sg-pg-'));
  const data = join(folder, 'data');
  mkdirSync(data, { mode: 0o700 });
  const owner = ownerOf();
  const password = randomBytes(16).toString('hex');
  noteSecret('password of a database', password);
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  for (const path of [folder, data, passwordFile]) chownSync(path, owner.uid, owner.gid);
  chmodSync(folder, 0o755);
  const env = { PATH: process.env.PATH, LC_ALL: 'C' };
  const login = ['--username', 'test', '--auth', 'scram-sha-256', '--pwfile', passwordFile];
  execFileSync(join(BIN, 'initdb'), ['--pgdata', data, ...login, '--encoding', 'UTF8', '--no-sync'], {
    ...owner,
    env,
    stdio: 'ignore',
  });
  const control = (...args: string[]): void => {
    execFileSync(join(BIN, 'pg_ctl'), ['--pgdata', data, '--wait', ...args], { ...owner, env, stdio: 'ignore' });
  };
  control('--options', `-k ${folder} -c listen_addresses= -c fsync=off`, 'start');
  const address = (name: string): string => `postgres://test:${password}@localhost/${name}?host=${encodeURIComponent(folder)}`;
  let made = 0;
  return {
    database: async () => {
      made += 1;
      const name = `test${made}`;
      await run(address('postgres'), `CREATE DATABASE ${name}`);
      return address(name);
    },
    stop: async () => {
      control('--mode', 'immediate', 'stop');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function ownerOf(): { uid: number; gid: number } {
  const { uid, gid } = userInfo();
  if (uid !== 0) return { uid, gid };
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres']).toString());
  return { uid: id('-u'), gid: id('-g') };
}

async function run(connectionString: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
