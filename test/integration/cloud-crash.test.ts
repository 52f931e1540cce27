import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { LocalIssuer } from '../../cloud/iam/local-issuer.ts';
import { LOCAL_OPERATOR } from '../../cloud/iam/local-operator.ts';
import { NO_LIMITS, pinAdmins } from '../helpers/cloud.ts';
import { freePort } from '../helpers/free-port.ts';
import { type TestKms, testKms } from '../helpers/kms.ts';
import { startPostgres, type TestPostgres } from '../helpers/postgres.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const MAIN = fileURLToPath(new URL('../../provisioning/main.ts', import.meta.url));
const POWER_CUTS = 8;

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);
afterAll(async () => postgres.stop());

/** The control plane as a process of its own, which can be killed. */
class CloudProcess {
  readonly url: string;
  readonly #config: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #issuer: LocalIssuer;
  #child: ChildProcess | undefined;

  constructor(port: number, config: string, dataDir: string, env: NodeJS.ProcessEnv) {
    this.url = `http://127.0.0.1:${port}`;
    this.#config = config;
    this.#env = env;
    this.#issuer = LocalIssuer.open(dataDir);
    onTestFinished(() => void this.#child?.kill('SIGKILL'));
  }

  async start(): Promise<void> {
    const child = spawn(process.execPath, [MAIN, 'cloud', 'run', '--config', this.#config], { env: this.#env, stdio: 'ignore' });
    this.#child = child;
    await expect.poll(() => this.#answers(), { timeout: 30_000 }).toBe(true);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  async ask(method: string, path: string, body?: object, account = LOCAL_OPERATOR, org = ''): Promise<{ status: number; body: unknown }> {
    const token = await this.#issuer.sign(account, org, Date.now());
    const headers = { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
    const answer = await fetch(`${this.url}${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    return { status: answer.status, body: await answer.json() };
  }

  async #answers(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/healthz`)).ok;
    } catch {
      return false;
    }
  }
}

async function prepared(kms: TestKms, DATABASE_URL: string): Promise<CloudProcess> {
  const folder = await tempFolder();
  const [config, dataDir, port] = [join(folder, 'cloud.json'), join(folder, 'data'), await freePort()];
  await writeFile(config, JSON.stringify({ dataDir, api: { port, rateLimits: NO_LIMITS }, kms: { socket: kms.socket } }));
  return new CloudProcess(port, config, dataDir, { ...process.env, DATABASE_URL });
}

test.each(['SQLite', 'Postgres'])(
  'killed at any moment, on %s: all that was answered with 201 is there, and nothing is half there',
  async (database) => {
    const kms = await testKms('software', { epochsPerOrg: 1_000_000 });
    await pinAdmins(kms, 'acme');
    const cloud = await prepared(kms, database === 'Postgres' ? await postgres.database() : '');
    await cloud.start();
    await cloud.ask('POST', '/v1/orgs', { id: 'acme', name: 'Acme', jurisdiction: 'CH' });
    const { body } = await cloud.ask('POST', '/v1/orgs/acme/first-admin', { name: 'Ada', email: 'ada@acme.example' });
    const admin = (body as { id: string }).id;
    const made = new Set<string>();
    let tried = 0;
    for (let cut = 0; cut < POWER_CUTS; cut++) {
      let working = true;
      const writer = async (): Promise<void> => {
        while (working) {
          const id = `hall-${tried++}`;
          try {
            const fields = { id, name: id, hostnames: [`${id}.acme.example`] };
            if ((await cloud.ask('POST', '/v1/orgs/acme/tenants', fields, admin, 'acme')).status === 201) made.add(id);
          } catch {
            return; // The connection broke: nobody said that it was made.
          }
        }
      };
      const writers = [writer(), writer(), writer()];
      const before = made.size;
      await expect.poll(() => made.size).toBeGreaterThan(before);
      await pause(Math.random() * 150);
      await cloud.kill();
      working = false;
      await Promise.all(writers);
      await cloud.start();
    }
    const there = new Map<string, { state: string; hostnames: string[] }>();
    await expect
      .poll(
        async () => {
          there.clear();
          for (let cursor: string | null = ''; cursor !== null; ) {
            const page = (await cloud.ask('GET', `/v1/orgs/acme/tenants?limit=200&cursor=${cursor}`)).body as {
              items: { id: string; state: string; hostnames: string[] }[];
              next: string | null;
            };
            for (const tenant of page.items) there.set(tenant.id, tenant);
            cursor = page.next;
          }
          return [...there.values()].every(({ state }) => state === 'active');
        },
        { timeout: 60_000 },
      )
      .toBe(true);
    expect([...made].filter((id) => !there.has(id))).toEqual([]);
    for (const [id, { hostnames }] of there) {
      expect(hostnames).toEqual([`${id}.acme.example`]);
      expect(await kms.client.call('listEpochs', { org: 'acme', tenant: id })).toMatchObject([{ epoch: 1, state: 'ready' }]);
    }
    expect(made.size).toBeGreaterThanOrEqual(POWER_CUTS);
  },
  180_000,
);
