import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../helpers/free-port.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const MAIN = fileURLToPath(new URL('../../provisioning/main.ts', import.meta.url));

/** A command of `securegate`, with something at its stdin. */
async function run(args: readonly string[], input = ''): Promise<{ code: number; out: string; error: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: 'pipe' });
  child.stdin.end(input);
  const [out, error] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode ?? -1, out: out.trim(), error };
}

test('from a token to an assigned box and away again, by the commands of the runbook', async () => {
  const folder = await tempFolder();
  const at = (name: string): string => join(folder, name);
  const ports = ['--port', String(await freePort()), '--fleet-port', String(await freePort()), '--broker-port', String(await freePort())];
  const up = spawn(process.execPath, [MAIN, 'cloud', 'up', '--data', at('cloud'), ...ports], { stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(async () => {
    const gone = once(up, 'exit');
    up.kill('SIGTERM');
    await gone;
  });
  let told = '';
  up.stdout.on('data', (chunk: Buffer) => {
    told += chunk.toString();
  });
  await expect.poll(() => told, { timeout: 60_000 }).toContain('The control plane answers at');
  const config = join(at('cloud'), 'cloud.json');
  const cloud = async (...args: string[]): Promise<string> => {
    const { code, out, error } = await run([...args, '--config', config]);
    expect(code, error).toBe(0);
    return out;
  };
  await cloud('cloud', 'orgs', 'create', 'acme', '--name', 'Acme Halls', '--jurisdiction', 'CH');
  const ada = ['--account', await cloud('cloud', 'orgs', 'first-admin', 'acme', '--name', 'Ada', '--email', 'ada@acme.example')];
  for (const key of ['ada.pem', 'safe.pem']) await run(['org-keys', 'new', at(key)]);
  await cloud('org-keys', 'pin', 'acme', '--admin', at('ada.pem'), '--recovery', at('safe.pem'), ...ada);
  await cloud('cloud', 'tenants', 'create', 'acme', 'hall', '--name', 'Hall', ...ada);

  const box = ['--config', at('box.json')];
  await writeFile(at('box.json'), JSON.stringify({ dataDir: at('data'), keyDir: at('keys'), tenants: [{ id: 'hall', org: 'acme' }] }));
  expect(await run(['status', ...box])).toMatchObject({ code: 1, error: expect.stringContaining('[not_enrolled]') });
  const url = `https://localhost:${(JSON.parse(await readFile(config, 'utf8')) as { fleet: { port: number } }).fleet.port}`;
  const token = await cloud('cloud', 'enrolment-tokens', 'create', 'acme', '--name', 'Main door', ...ada);
  const enrolled = await run(['enrol', '--cloud', url, '--token', '-', ...box, '--json'], `${token}\n`);
  expect(enrolled.error).toBe('');
  const { device, fingerprint } = JSON.parse(enrolled.out) as { device: string; fingerprint: string };
  for (const file of ['key.p8', 'enrolment.json']) expect((await stat(join(at('keys'), 'link', file))).mode & 0o777).toBe(0o600);
  expect(await run(['enrol', '--cloud', url, '--token', token, ...box])).toMatchObject({
    code: 1,
    error: expect.stringContaining('[already_enrolled]'),
  });
  const { out: status } = await run(['status', ...box]);
  expect(status).toContain('awaiting-approval');
  expect(status).toContain(fingerprint);

  // An admin sees the fingerprint before he signs; another one than the box shows stops him.
  const assign = ['org-keys', 'assign', 'acme', 'hall', '--key', at('ada.pem'), '--device', device, '--config', config, ...ada];
  expect(await run(assign)).toMatchObject({ code: 1, error: expect.stringContaining(fingerprint) });
  const other = fingerprint.replaceAll(/./g, 'a');
  expect(await run([...assign, '--fingerprint', other])).toMatchObject({ code: 1, error: expect.stringContaining('do not assign') });
  expect(await run([...assign, '--fingerprint', fingerprint])).toMatchObject({ code: 0 });
  expect(JSON.parse((await run(['status', ...box, '--json'])).out)).toMatchObject({ device, org: 'acme', state: 'active', problem: null });
  expect(await cloud('cloud', 'devices', 'list', 'acme', ...ada)).toMatch(new RegExp(`${device}.*Main door.*active`));

  expect(await run(['leave', ...box])).toMatchObject({ code: 0 });
  expect(await cloud('cloud', 'devices', 'list', 'acme', ...ada)).toContain('left');
  expect(await run(['leave', ...box])).toMatchObject({ code: 1, error: expect.stringContaining('[not_enrolled]') });
}, 120_000);
