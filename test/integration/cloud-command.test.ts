import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { decodeJwt } from 'jose';
import { expect, onTestFinished, test } from 'vitest';
import { newId } from '../../shared/ids/ids.ts';
import { freePort } from '../helpers/free-port.ts';
import { hasSoftHsm } from '../helpers/soft-hsm.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const MAIN = fileURLToPath(new URL('../../provisioning/main.ts', import.meta.url));

/** `securegate cloud up`, as a person starts it. */
async function up(data: string, port: number): Promise<{ child: ChildProcess; told: () => string; logged: () => string }> {
  const child = spawn(
    process.execPath,
    [
      MAIN,
      'cloud',
      'up',
      '--data',
      data,
      '--port',
      String(port),
      '--fleet-port',
      String(await freePort()),
      '--broker-port',
      String(await freePort()),
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  onTestFinished(() => void child.kill('SIGTERM'));
  let [out, log] = ['', ''];
  child.stdout?.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  await expect.poll(() => out, { timeout: 60_000 }).toContain('The control plane answers at');
  return { child, told: () => out, logged: () => log };
}

test('one command runs control plane and KMS; ops work with it from the command line; Ctrl-C ends both', async () => {
  const data = join(await tempFolder(), 'cloud');
  const port = await freePort();
  const { child, told, logged } = await up(data, port);
  expect(told()).toContain(`http://127.0.0.1:${port}`);
  const config = join(data, 'cloud.json');
  const run = async (...args: string[]): Promise<string> => (await promisify(execFile)(process.execPath, [MAIN, ...args])).stdout.trim();
  const cloud = (...args: string[]): Promise<string> => run('cloud', ...args, '--config', config);
  const orgKeys = (...args: string[]): Promise<string> => run('org-keys', ...args);
  expect(await cloud('orgs', 'create', 'acme', '--name', 'Acme Halls', '--jurisdiction', 'CH')).toBe('acme');
  const admin = await cloud('orgs', 'first-admin', 'acme', '--name', 'Ada', '--email', 'ada@acme.example');
  expect((await cloud('orgs', 'list')).split('\n').map((line) => line.split(/ {2,}/))).toEqual([
    ['id', 'name', 'plan', 'jurisdiction'],
    ['acme', 'Acme Halls', 'trial', 'CH'],
  ]);
  await cloud('users', 'create', 'acme', '--name', 'Bea', '--email', 'bea@acme.example', '--role', 'auditor', '--account', admin);
  expect(JSON.parse(await cloud('users', 'list', 'acme', '--json', '--account', admin))).toHaveLength(2);
  // Without pinned admin keys the KMS makes no key, and so there is no tenant.
  await expect(cloud('tenants', 'create', 'acme', 'hall', '--name', 'Hall', '--account', admin)).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('[admins_missing]'),
  });
  const [adminKey, safeKey] = [join(data, 'ada.pem'), join(data, 'safe.pem')];
  const thumbprint = await orgKeys('new', adminKey);
  await orgKeys('new', safeKey);
  const asAdmin = ['--config', config, '--account', admin];
  expect(await orgKeys('pin', 'acme', '--admin', adminKey, '--recovery', safeKey, ...asAdmin)).toMatch(/^version 1\n(\w{4}-){7}\w{4}$/);
  expect(await cloud('tenants', 'create', 'acme', 'hall', '--name', 'Hall', '--account', admin)).toBe('hall');
  expect(await cloud('keys', 'show', 'acme', 'hall', '--account', admin)).toMatch(/^keys are in: .+\nepoch {2}state .*\n1 {6}newest$/);
  const moved = await cloud('keys', 'move', 'acme', 'hall', '--account', admin);
  expect(moved).toMatch(/\n1 {6}ready {3}0 of 0 boxes moved {2}until \d{4}-.*\n2 {6}newest$/);
  // Until when boxes are waited for is measured, and told by the clock.
  const withoutTime = (told: string): string => told.replace(/until \S+/, 'until');
  expect(withoutTime(await cloud('keys', 'move', 'acme', 'hall', '--epoch', '2', '--account', admin))).toBe(withoutTime(moved));
  const customer = newId('customer');
  const created = await cloud('erasures', 'create', 'acme', 'hall', customer, '--json', '--account', admin);
  const { id: erasure } = JSON.parse(created) as { id: string };
  expect(await cloud('erasures', 'show', 'acme', erasure, '--account', admin)).toContain(`Erasure ${erasure} in hall, of 1 id(s): `);
  expect(await cloud('erasures', 'list', 'acme', '--account', admin)).toContain(`${erasure}  hall`);
  const receipt = await cloud('erasures', 'receipt', 'acme', erasure, '--account', admin);
  const said = decodeJwt((JSON.parse(receipt) as { statement: string }).statement);
  expect(said).toMatchObject({ kind: 'erasure', jti: erasure, customers: [customer], epochs: [{ epoch: 1 }, { epoch: 2 }] });
  const [receiptFile, keysFile] = [join(data, 'receipt.json'), join(data, 'receipt-keys.json')];
  await writeFile(receiptFile, receipt);
  await writeFile(keysFile, await run('receipt', 'keys', '--cloud', `http://127.0.0.1:${port}/`));
  expect(await run('receipt', 'verify', receiptFile, '--keys', keysFile)).toContain('The receipt holds.');
  await cloud('shreds', 'create', 'acme', 'hall', '--account', admin);
  expect(await cloud('shreds', 'list', 'acme', '--account', admin)).toMatch(/ {2}hall {4}requested {2}\d{4}-/);
  // Nobody starts it twice; the one that runs goes on.
  await expect(run('cloud', 'up', '--data', data)).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('[data_folder_in_use]'),
  });
  await expect(orgKeys('new', adminKey)).rejects.toMatchObject({ stderr: expect.stringContaining('[conflict]') });
  // The next set needs the approval of the present one.
  const nextKey = join(data, 'next.pem');
  await orgKeys('new', nextKey);
  const change = ['pin', 'acme', '--admin', nextKey, '--recovery', safeKey, ...asAdmin];
  await expect(orgKeys(...change)).rejects.toMatchObject({ stderr: expect.stringContaining('[admins_rejected]') });
  // The fingerprint of the set, to compare with what a box was told.
  expect(await orgKeys(...change, '--signed-by', adminKey)).toMatch(/^version 2\n(?:[0-9a-f]{4}-){7,}[0-9a-f]{4}$/);
  expect(thumbprint).toMatch(/^[\w-]{43}$/);
  expect((await stat(adminKey)).mode & 0o777).toBe(0o600);

  await expect(cloud('tenants', 'list', 'other', '--account', admin)).rejects.toMatchObject({
    stderr: expect.stringContaining('[forbidden]'),
  });

  const token = await cloud('token', '--account', admin);
  const answer = await fetch(`http://127.0.0.1:${port}/v1/orgs/acme/audit`, { headers: { authorization: `Bearer ${token}` } });
  expect(((await answer.json()) as { items: { operation: string }[] }).items.map(({ operation }) => operation)).toContain('tokens.sign');
  const ready = (await (await fetch(`http://127.0.0.1:${port}/readyz`)).json()) as { parts: { part: string; what: string }[] };
  expect(ready.parts[1]?.what).toMatch(hasSoftHsm ? /SoftHSM/ : /software, not an HSM/);

  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await gone).toEqual([0, null]);
  expect(logged().match(/"msg":"stopping"/g)).toHaveLength(2);
  // What is secret stands in files for their owner alone, and nowhere in what was said.
  for (const name of await readdir(data)) {
    if (!/\.(pin|key)$/.test(name)) continue;
    const secret = (await readFile(join(data, name))).toString('latin1');
    expect(told() + logged()).not.toContain(secret);
  }
  expect(told() + logged()).not.toContain(token);
}, 120_000);
