import { execFile } from 'node:child_process';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { DaemonProcess } from '../helpers/daemon-process.ts';
import { embeddedModels } from '../helpers/embedded-models.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const MAIN = fileURLToPath(new URL('../../provisioning/main.ts', import.meta.url));

let folder: string;
let config: string;

beforeAll(async () => {
  await embeddedModels();
}, 120_000);

beforeEach(async () => {
  folder = await tempFolder();
  config = join(folder, 'box.json');
  const box = { dataDir: 'data', keyDir: 'keys', api: { port: 0 }, tenants: [{ id: 'north', org: 'acme' }] };
  await writeFile(config, JSON.stringify(box));
});

async function startBox(): Promise<{
  daemon: DaemonProcess;
  ask: (method: string, path: string, more?: RequestInit) => Promise<Response>;
}> {
  const daemon = new DaemonProcess(config);
  onTestFinished(() => daemon.cleanUp());
  const { api } = await daemon.until('ready');
  return { daemon, ask: (method, path, more) => fetch(`${api}${path}`, { method, ...more }) };
}

const tokenFile = (): string => join(folder, 'keys', 'admin.token');
const readToken = async (): Promise<string> => (await readFile(tokenFile(), 'utf8')).trim();
const bearer = (token: string): RequestInit => ({ headers: { authorization: `Bearer ${token}` } });
const json = (body: object): RequestInit => ({ headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

/** @returns exit code and what was printed */
async function reset(...more: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const command = promisify(execFile)(process.execPath, [MAIN, 'admin-token', 'reset', '--config', config, ...more]);
  return command.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code: unknown; stdout: string; stderr: string }) => error,
  );
}

test('a lost admin token is replaced while the box is stopped, and whatever it opened is closed', async () => {
  const before = await startBox();
  const lost = await readToken();
  const made = await before.ask('POST', '/v1/tenants/north/api-keys', {
    ...json({ title: 'Shop', scopes: ['people:read'] }),
    headers: { 'content-type': 'application/json', authorization: `Bearer ${lost}` },
  });
  const { key } = (await made.json()) as { key: string };
  const session = await before.ask('POST', '/v1/session', json({ token: lost }));
  const cookie = session.headers.get('set-cookie')?.split(';')[0] ?? '';
  const { link } = (await (await before.ask('POST', '/v1/login-links', bearer(lost))).json()) as { link: string };

  const refused = await reset('--json');
  expect([refused.code, refused.stdout]).toEqual([1, '']);
  expect(JSON.parse(refused.stderr)).toMatchObject({ error: { code: 'data_folder_in_use' } });
  expect(await readToken(), 'nothing has changed').toBe(lost);
  expect((await before.ask('GET', '/v1/system', bearer(lost))).status).toBe(200);
  before.daemon.kill('SIGTERM');
  expect(await before.daemon.exit).toBe(0);

  const done = await reset('--json');
  expect(done).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(done.stdout)).toEqual({ tokenFile: tokenFile(), sessions: 1, loginLinks: 1 });
  expect((await stat(tokenFile())).mode & 0o777).toBe(0o600);
  const found = await readToken();
  expect(found).not.toBe(lost);
  expect(done.stdout).not.toContain(found);

  const { ask } = await startBox();
  expect(await readToken(), 'the start makes none').toBe(found);
  expect((await ask('GET', '/v1/system', bearer(found))).status).toBe(200);
  expect((await ask('GET', '/v1/system', bearer(lost))).status).toBe(401);
  expect((await ask('GET', '/v1/session', { headers: { cookie } })).status).toBe(401);
  expect((await ask('POST', '/v1/session', json({ link }))).status).toBe(401);
  expect((await ask('GET', '/v1/tenants/north/customers', bearer(key))).status, 'keys of programs stay').toBe(200);
}, 120_000);

test('a folder without a box gets no token', async () => {
  const { code, stderr } = await reset();
  expect(code).toBe(1);
  expect(stderr).toContain('[config_invalid]');
  await expect(stat(join(folder, 'data'))).rejects.toThrow('ENOENT');
});
