import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { renew } from '../../edge/link/enrolment/renew.ts';
import type { LogExport } from '../../provisioning/audit/log-export.ts';
import { ConnectedBox } from '../helpers/connected-box.ts';
import { TestFleet } from '../helpers/fleet.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const MAIN = fileURLToPath(new URL('../../provisioning/main.ts', import.meta.url));
const PATIENTLY = { timeout: 30_000, interval: 100 };

test('what was done in an org is checked from another machine, with a box as its witness, and from a file without a network', async () => {
  const fleet = await TestFleet.start({ broker: 'embedded' });
  const { cloud } = fleet;
  const box = await fleet.enrolled();
  const { link } = await ConnectedBox.start(box);
  const folder = await tempFolder();
  const at = (name: string): string => join(folder, name);
  await writeFile(at('token'), await fleet.accessToken());
  const audit = async (...args: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)(process.execPath, [MAIN, 'audit', ...args], {
      env: { ...process.env, XDG_DATA_HOME: folder },
    });
    return stdout.trim();
  };
  /** @returns the code of the error that it ends with */
  const failing = async (...args: string[]): Promise<string> => {
    try {
      return await audit(...args, '--json');
    } catch (error) {
      const told = JSON.parse((error as { stderr: string }).stderr.trim().split('\n').at(-1) ?? '') as { error: { code: string } };
      return told.error.code;
    }
  };
  const asking = ['--cloud', cloud.url, '--token', at('token')];
  await writeFile(at('key.json'), await audit('key', ...asking));
  await expect.poll(async () => (await fleet.ask('GET', '/audit/witnesses')).body.items, PATIENTLY).toMatchObject([{ device: box.id }]);

  const first = JSON.parse(await audit('verify', 'acme', '--key', at('key.json'), ...asking, '--json')) as Record<string, unknown>;
  expect(first).toMatchObject({ verified: true, witnesses: [box.id], forks: [] });
  expect((await fleet.ask('POST', '/tenants', { id: 'club', name: 'Club' })).status).toBe(201);
  expect(await audit('export', 'acme', '--out', at('log.json'), ...asking)).toMatch(/holds \d+ entries of acme/);
  const second = await audit('verify', 'acme', '--file', at('log.json'));
  expect(second).toContain('It goes on from the head that was seen last');
  expect(second).toContain('Boxes of acme that watch it and have seen no other: 1.');

  const log = JSON.parse(await readFile(at('log.json'), 'utf8')) as LogExport;
  expect(log.entries.map(({ operation }) => operation)).toEqual(expect.arrayContaining(['devices.enrol', 'tenants.create']));
  const lies: [object, string][] = [
    [{ entries: log.entries.with(0, { ...(log.entries[0] as LogExport['entries'][number]), outcome: 'forbidden' }) }, 'log_entry_rejected'],
    [{ entries: log.entries.slice(1) }, 'log_entry_missing'],
    [{ leaves: log.leaves.slice(1) }, 'log_forked'],
    [{ head: `${log.head.slice(0, -8)}AAAAAAAA` }, 'log_head_rejected'],
  ];
  for (const [lie, code] of lies) {
    await writeFile(at('lie.json'), JSON.stringify({ ...log, ...lie }));
    expect(await failing('verify', 'acme', '--file', at('lie.json'))).toBe(code);
  }
  expect(await failing('verify', 'other', '--file', at('log.json'))).toBe('file_unreadable');

  // The operator declares a fork; the box and whoever checks the log say so, and go on.
  const backupAt = new Date().toISOString();
  expect((await fleet.asOperator('POST', '/v1/audit/forks', { backupAt })).status).toBe(201);
  expect(await audit('verify', 'acme', ...asking)).toMatch(/Begun anew after \d+ entries/);
  expect(await audit('verify', 'acme', ...asking)).not.toContain('Begun anew');
  await renew(box.folder);
  await link.look();
  await expect.poll(() => link.warnings, PATIENTLY).toEqual([{ tenant: null, reason: 'log_fork_declared' }]);
}, 120_000);
