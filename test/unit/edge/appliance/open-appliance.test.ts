import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openAppliance } from '../../../../edge/appliance/open-appliance.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'securegate-appliance-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a box keeps its id', () => {
  const first = openAppliance(folder);
  first.close();
  const second = openAppliance(folder);
  second.close();
  expect(second.box).toBe(first.box);
  expect(first.box).toMatch(/^box_[a-z2-7]{26}$/);
});

test('a second process is kept out, until the first is killed', async () => {
  const holder = fork(new URL('../../../fixtures/hold-appliance.ts', import.meta.url), [folder]);
  const [message] = await once(holder, 'message');
  expect(message).toBe('open');
  expect(() => openAppliance(folder)).toThrowError(expect.objectContaining({ code: 'data_folder_in_use' }));
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  openAppliance(folder).close();
});

test('a folder that cannot be is told as a storage failure', () => {
  writeFileSync(join(folder, 'file'), '');
  expect(() => openAppliance(join(folder, 'file', 'data'))).toThrowError(expect.objectContaining({ code: 'storage_failed' }));
});
