import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { CloudProcess } from '../../provisioning/cloud/cloud-process.ts';
import { foundOrg } from '../../provisioning/cloud/found-org.ts';
import { securegate } from '../../provisioning/cloud/securegate.ts';
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
  const cloud = new CloudProcess(at('cloud'));
  onTestFinished(() => cloud.stop());
  await cloud.start();
  const ada = await foundOrg(cloud, { org: 'acme', tenants: ['hall'], folder });

  const box = ['--config', at('box.json')];
  const api = { port: Number(await freePort()) };
  await writeFile(at('box.json'), JSON.stringify({ dataDir: at('data'), keyDir: at('keys'), api, tenants: [{ id: 'hall', org: 'acme' }] }));
  expect(await run(['status', ...box])).toMatchObject({ code: 1, error: expect.stringContaining('[not_enrolled]') });
  const token = await securegate(['cloud', 'enrolment-tokens', 'create', 'acme', '--name', 'Main door', ...ada.options]);
  const enrolled = await run(['enrol', '--cloud', cloud.fleetUrl, '--token', '-', ...box, '--json'], `${token}\n`);
  expect(enrolled.error).toBe('');
  const { device, fingerprint } = JSON.parse(enrolled.out) as { device: string; fingerprint: string };
  for (const file of ['key.p8', 'enrolment.json']) expect((await stat(join(at('keys'), 'link', file))).mode & 0o777).toBe(0o600);
  expect(await run(['enrol', '--cloud', cloud.fleetUrl, '--token', token, ...box])).toMatchObject({
    code: 1,
    error: expect.stringContaining('[already_enrolled]'),
  });
  const { out: status } = await run(['status', ...box]);
  expect(status).toContain('awaiting-approval');
  expect(status).toContain(fingerprint);
  expect(status).toMatch(/^Org's keys: +(\w{4}-){7}\w{4}$/m);
  // Whether a daemon runs cannot be told without its token, which is in somebody's password store.
  expect(status).toMatch(/^Link: +unknown: The admin token cannot be read.*--token-file$/m);
  await writeFile(at('token'), 'sga_any');
  expect((await run(['status', ...box, '--token-file', at('token')])).out).toMatch(/^Link: +unknown: the daemon does not answer$/m);

  // What the security officer trusts is the key of which the fingerprint is.
  const shown = await securegate(['cloud', 'devices', 'show', 'acme', device, '--pem', at('box.pem'), ...ada.options]);
  expect(shown).toContain(fingerprint);
  const [wrap = ''] = /^Wrap key: +(\S+)$/m.exec(shown)?.slice(1) ?? [];
  expect(await securegate(['kms-trust', 'add', at('box.pem'), '--config', cloud.trustConfig], { env: cloud.env })).toBe(wrap);

  // An admin sees the fingerprint before he signs; another one than the box shows stops him.
  const assign = ['org-keys', 'assign', 'acme', 'hall', '--key', ada.key, '--device', device, ...ada.options];
  expect(await run(assign)).toMatchObject({ code: 1, error: expect.stringContaining(fingerprint) });
  const other = fingerprint.replaceAll(/./g, 'a');
  expect(await run([...assign, '--fingerprint', other])).toMatchObject({
    code: 1,
    error: expect.stringContaining('[fingerprint_differs]'),
  });
  expect(await run([...assign, '--fingerprint', fingerprint])).toMatchObject({ code: 0 });
  expect(JSON.parse((await run(['status', ...box, '--json'])).out)).toMatchObject({ device, org: 'acme', state: 'active', problem: null });
  expect(await securegate(['cloud', 'devices', 'list', 'acme', ...ada.options])).toMatch(new RegExp(`${device}.*Main door.*active`));

  expect(await run(['leave', ...box])).toMatchObject({ code: 0 });
  expect(await securegate(['cloud', 'devices', 'list', 'acme', ...ada.options])).toContain('left');
  expect(await run(['leave', ...box])).toMatchObject({ code: 1, error: expect.stringContaining('[not_enrolled]') });
}, 120_000);
