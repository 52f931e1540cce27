import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkFolders } from '../../../../provisioning/doctor/check-folders.ts';

let base: string;
let config: { dataDir: string; keyDir: string; keyringReplicaDir?: string; tenants: { id: string }[] };

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'securegate-doctor-'));
  config = { dataDir: join(base, 'data'), keyDir: join(base, 'keys'), tenants: [{ id: 'a1' }] };
});

afterEach(() => rmSync(base, { recursive: true, force: true }));

/** States of what was found, by check. */
const states = (): Record<string, string> => Object.fromEntries(checkFolders(config).map(({ check, state }) => [check, state]));

const GOOD = { 'data folder': 'ok', 'key folder': 'ok', 'keys apart': 'ok', 'key of a1': 'ok' };

function make(folder: string, mode = 0o700): void {
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, mode);
}

function makeKey(mode: number): void {
  writeFileSync(join(config.keyDir, 'a1.key'), 'x');
  chmodSync(join(config.keyDir, 'a1.key'), mode);
}

test('a box before its first start is well', () => {
  expect(states()).toEqual(GOOD);
});

test('a box that ran is well', () => {
  make(join(config.dataDir, 'tenants/a1/keyring'));
  make(config.dataDir);
  make(config.keyDir);
  makeKey(0o600);
  expect(states()).toEqual(GOOD);
});

test('folders that others may enter or change are named', () => {
  make(config.dataDir, 0o755);
  make(config.keyDir, 0o720);
  expect(states()).toEqual({ ...GOOD, 'data folder': 'warn', 'key folder': 'fail' });
});

test('a folder that cannot be made is named', () => {
  // Not even root makes one in a file.
  writeFileSync(join(base, 'file'), '');
  config.keyDir = join(base, 'file', 'keys');
  expect(states()).toEqual({ ...GOOD, 'key folder': 'fail' });
});

test('a file in the place of a folder is named', () => {
  writeFileSync(config.dataDir, '');
  expect(states()).toEqual({ ...GOOD, 'data folder': 'fail' });
});

test.each(['data', 'data/keys', 'link/keys'])('keys in the data folder are named: %s', (keyDir) => {
  make(config.dataDir);
  symlinkSync(config.dataDir, join(base, 'link'));
  config.keyDir = join(base, keyDir);
  expect(states()['keys apart']).toBe('fail');
});

test('a folder whose name only begins like the data folder is apart', () => {
  config.keyDir = `${config.dataDir}-keys`;
  expect(states()['keys apart']).toBe('ok');
});

test('a key that others may read, and one that is missing, are named', () => {
  make(config.keyDir);
  makeKey(0o640);
  expect(states()['key of a1']).toBe('fail');
  renameSync(join(config.keyDir, 'a1.key'), join(config.keyDir, 'a1.12.key'));
  expect(states()['key of a1'], 'of a later epoch').toBe('fail');
  rmSync(join(config.keyDir, 'a1.12.key'));
  make(join(config.dataDir, 'tenants/a1/keyring'));
  expect(states()['key of a1']).toBe('fail');
});

test('a replica of the keyrings without its disk is named, and one on the disk of the data', () => {
  config.keyringReplicaDir = join(base, 'replica');
  expect(states()).toEqual({ ...GOOD, 'keyring replica': 'fail' });
  make(config.keyringReplicaDir);
  expect(states()).toEqual({ ...GOOD, 'keyring replica': 'ok' });
  make(config.dataDir);
  expect(states()).toEqual({ ...GOOD, 'keyring replica': 'warn' });
});
