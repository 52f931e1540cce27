import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LOCAL_OPERATOR } from '../../cloud/iam/local-operator.ts';
import type { StoreAddress } from '../../cloud/store/open-store.ts';
import { pinAdmins, TestCloud } from '../helpers/cloud.ts';
import { TestDevice, testKms } from '../helpers/kms.ts';
import { startPostgres, type TestPostgres } from '../helpers/postgres.ts';
import { hasSoftHsm } from '../helpers/soft-hsm.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const RUNBOOK = readFileSync(join(import.meta.dirname, '../../provisioning/runbooks/restore-the-cloud.md'), 'utf8');

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);
afterAll(async () => postgres.stop());

/** Runs the commands that the runbook gives next after some of its words. */
function asTheRunbookSays(words: string, env: Record<string, string>): void {
  const [, , commands] = new RegExp(`(${words})[^]*?\\n\`\`\`sh\\n([^]*?)\`\`\``).exec(RUNBOOK) ?? [];
  if (commands === undefined) throw new Error(`The runbook has no commands after "${words}"`);
  execFileSync('bash', ['-euc', commands], { env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
}

test.each(['SQLite', 'Postgres'])(
  'a control plane on %s and its KMS come back from a backup, as the runbook says',
  async (database) => {
    const kms = await testKms(hasSoftHsm ? 'softhsm' : 'software');
    const place = async (): Promise<{ address: StoreAddress; env: Record<string, string> }> => {
      const CLOUD_DATA = join(await tempFolder(), 'data');
      if (database === 'SQLite') return { address: { file: join(CLOUD_DATA, 'cloud.db') }, env: { CLOUD_DATA } };
      const DATABASE = await postgres.database();
      return { address: { postgres: DATABASE }, env: { DATABASE } };
    };
    const [lost, found] = [await place(), await place()];
    const [BACKUP, KMS_DATA] = [await tempFolder(), kms.dataDir];
    const cloud = await TestCloud.start(kms, lost.address);
    const operator = await cloud.issuer.token(LOCAL_OPERATOR, '');
    await cloud.ask(operator, 'POST', '/v1/orgs', { id: 'acme', name: 'Acme', jurisdiction: 'CH' });
    await pinAdmins(kms, 'acme');
    const { body: ada } = await cloud.ask(operator, 'POST', '/v1/orgs/acme/first-admin', { name: 'Ada', email: 'ada@acme.example' });
    const ask = async (of: TestCloud, method: string, path: string, body?: object) =>
      await of.ask(await of.issuer.token(ada.id as string, 'acme'), method, `/v1/orgs/acme${path}`, body);
    const content = async (of: TestCloud): Promise<unknown[]> =>
      await Promise.all(['', '/tenants', '/users', '/audit', '/tenants/hall/keys'].map(async (path) => (await ask(of, 'GET', path)).body));
    expect((await ask(cloud, 'POST', '/tenants', { id: 'hall', name: 'Hall', hostnames: ['hall.acme.example'] })).status).toBe(201);

    asTheRunbookSays(`With ${database}, while it runs`, { ...lost.env, BACKUP });
    await kms.stop();
    asTheRunbookSays('stop it, copy them', { KMS_DATA, BACKUP });
    await kms.start();
    const then = await content(cloud);
    for (const id of ['late', 'later']) expect((await ask(cloud, 'POST', '/tenants', { id, name: id })).status).toBe(201);
    // What an old copy of the KMS's records would undo.
    for (const _ of [1, 2]) await kms.client.call('denyDevice', { device: new TestDevice().id });
    await cloud.stop();

    asTheRunbookSays(`With ${database}, into a`, { ...found.env, BACKUP });
    const again = await TestCloud.start(kms, found.address);
    expect(await content(again)).toEqual(then);
    expect((await ask(again, 'GET', '/tenants/late')).status).toBe(404);
    expect(await ask(again, 'POST', '/tenants', { id: 'late', name: 'Late' })).toMatchObject({ status: 201, body: { state: 'active' } });
    expect((await ask(again, 'GET', '/tenants/late/keys')).body.epochs).toMatchObject([{ epoch: 1, state: 'ready' }]);

    await kms.stop();
    await rm(KMS_DATA, { recursive: true });
    asTheRunbookSays('The KMS must not run', { KMS_DATA, BACKUP });
    const refusal = await kms.start().catch((error: Error) => error.message);
    expect(refusal).toContain('records_rolled_back');
    const [, records, counted] = /"records":(\d+),"counted":(\d+)/.exec(refusal ?? '') ?? [];
    await kms.officer({ do: 'accept-records', records: Number(records), counted: Number(counted) });
    await kms.start();
    expect((await ask(again, 'GET', '/tenants/hall/keys')).body).toEqual(then[4]);
    expect(await ask(again, 'POST', '/tenants/hall/epoch-moves', { epoch: 2 })).toMatchObject({ status: 201, body: { newest: 2 } });
    expect(await ask(again, 'POST', '/tenants', { id: 'later', name: 'Later' })).toMatchObject({ status: 409, body: { code: 'conflict' } });
  },
  120_000,
);
