import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openEmbeddedFolder } from '../../../../provisioning/cloud/embedded-folder.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

const PORTS = { port: 8443, fleetPort: 8444, brokerPort: 8445 };

test('a folder is made once', async () => {
  const folder = join(await tempFolder(), 'cloud');
  const made = openEmbeddedFolder(folder, PORTS);
  const kms = readFileSync(made.kmsConfig, 'utf8');
  expect(openEmbeddedFolder(folder, { port: 9443, fleetPort: 9444, brokerPort: 9445 })).toEqual(made);
  expect(readFileSync(made.kmsConfig, 'utf8')).toBe(kms);
  expect(JSON.parse(readFileSync(made.cloudConfig, 'utf8'))).toMatchObject({ api: { port: PORTS.port } });
});

test('a first call that ended half-way does not stand in the way of the next', async () => {
  const folder = join(await tempFolder(), 'cloud');
  const { cloudConfig } = openEmbeddedFolder(folder, PORTS);
  rmSync(cloudConfig);
  openEmbeddedFolder(folder, PORTS);
  expect(existsSync(cloudConfig)).toBe(true);
});
