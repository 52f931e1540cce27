import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openEmbeddedFolder } from '../../../../provisioning/cloud/embedded-folder.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

const PORTS = { port: 8443, fleetPort: 8444, brokerPort: 8445 };

test('a folder is made once, and has another port from when that is asked for', async () => {
  const folder = join(await tempFolder(), 'cloud');
  const made = openEmbeddedFolder(folder, PORTS);
  const kms = readFileSync(made.kmsConfig, 'utf8');
  const cloud = (): object => JSON.parse(readFileSync(made.cloudConfig, 'utf8'));
  const first = cloud();
  expect(first).toMatchObject({ api: { port: 8443 }, fleet: { port: 8444, broker: { port: 8445 } } });
  expect(openEmbeddedFolder(folder, {})).toEqual(made);
  expect(cloud()).toEqual(first);
  expect(openEmbeddedFolder(folder, { brokerPort: 9445 })).toEqual(made);
  expect(cloud()).toEqual({ ...first, fleet: { port: 8444, broker: { port: 9445 } } });
  expect(readFileSync(made.kmsConfig, 'utf8')).toBe(kms);
});

test('a first call that ended half-way does not stand in the way of the next', async () => {
  const folder = join(await tempFolder(), 'cloud');
  const { cloudConfig } = openEmbeddedFolder(folder, PORTS);
  rmSync(cloudConfig);
  openEmbeddedFolder(folder, PORTS);
  expect(existsSync(cloudConfig)).toBe(true);
});
