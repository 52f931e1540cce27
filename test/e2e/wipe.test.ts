import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { DaemonProcess } from '../helpers/daemon-process.ts';
import { embeddedModels } from '../helpers/embedded-models.ts';
import { freePort } from '../helpers/free-port.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const MAIN = fileURLToPath(new URL('../../provisioning/main.ts', import.meta.url));

beforeAll(async () => {
  await embeddedModels();
}, 120_000);

async function wipe(args: readonly string[], input = ''): Promise<{ code: number | null; out: string; error: string }> {
  const child = spawn(process.execPath, [MAIN, 'wipe', ...args], { stdio: 'pipe' });
  child.stdin.end(input);
  const [out, error] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, out, error };
}

test('whoever stands before the box removes a tenant from it, while its daemon runs and when it does not', async () => {
  const folder = await tempFolder();
  const config = join(folder, 'box.json');
  const tenants = ['hall', 'club', 'shed'].map((id) => ({ id, org: 'acme' }));
  const [dataDir, keyDir] = [join(folder, 'data'), join(folder, 'keys')];
  await writeFile(config, JSON.stringify({ dataDir, keyDir, api: { port: Number(await freePort()) }, tenants }));
  const left = async (): Promise<string[]> => (await readdir(join(dataDir, 'tenants'))).filter((name) => !name.includes('.')).toSorted();
  const start = async (): Promise<DaemonProcess> => {
    const daemon = new DaemonProcess(config);
    onTestFinished(() => daemon.cleanUp());
    await daemon.until('ready');
    return daemon;
  };

  const running = await start();
  await running.until('stats', ({ vaults }) => vaults.length === 3 && vaults.every(({ state }) => state === 'ready'));
  expect(await wipe(['--config', config])).toMatchObject({ code: 1, error: expect.stringContaining('[usage]') });
  // The token is where its owner keeps it.
  const token = join(folder, 'kept.token');
  await rename(join(keyDir, 'admin.token'), token);
  expect((await wipe(['--config', config, '--tenant', 'hall', '--yes'])).error).toMatch(/--token-file \[file_unreadable\]/);
  const asked = ['--config', config, '--token-file', token];
  const wrong = await wipe([...asked, '--tenant', 'hall'], 'all\n');
  expect(wrong).toMatchObject({ code: 1, error: expect.stringContaining('not its name') });
  expect(await left()).toEqual(['club', 'hall', 'shed']);
  const hall = await wipe([...asked, '--tenant', 'hall', '--json'], 'hall\n');
  expect(hall.code, hall.error).toBe(0);
  expect(JSON.parse(hall.out)).toMatchObject([{ tenant: 'hall', keyFiles: expect.any(Number) }]);
  expect(await left()).toEqual(['club', 'shed']);
  await running.until(
    'stats',
    ({ vaults }) => vaults.length === 2 && vaults.every(({ state }) => state === 'ready'),
    running.events.length,
  );
  expect((await wipe([...asked, '--tenant', 'hall', '--yes'])).error).toContain('[tenant_shredded]');

  // It is named in the configuration still, and is refused; the others go on.
  running.kill('SIGKILL');
  await running.exit;
  const again = await start();
  await again.until('stats', ({ vaults }) => vaults.length === 2 && vaults.every(({ state }) => state === 'ready'));
  expect(again.log).toContain('"code":"tenant_shredded"');
  again.kill('SIGTERM');
  await again.exit;

  expect(await wipe(['--config', config, '--tenant', 'nobody', '--yes'])).toMatchObject({
    error: expect.stringContaining('[tenant_not_found]'),
  });
  const all = await wipe(['--config', config, '--all', '--yes']);
  expect(all, all.error).toMatchObject({ code: 0, out: expect.stringMatching(/^club: .*\nshed: .*\n$/) });
  expect(await left()).toEqual([]);
  expect((await readdir(keyDir)).filter((name) => name.endsWith('.key'))).toEqual([]);
}, 120_000);
