import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openEmbeddedFolder } from '../../../../provisioning/cloud/embedded-folder.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

const PORT = 8443;

test('a folder is made once', async () => {
  const folder = join(await tempFolder(), 'cloud');
  const made = openEmbeddedFolder(folder, PORT);
  const kms = readFileSync(made.kmsConfig, 'utf8');
  expect(openEmbeddedFolder(folder, PORT + 1)).toEqual(made);
  expect(readFileSync(made.kmsConfig, 'utf8')).toBe(kms);
  expect(JSON.parse(readFileSync(made.cloudConfig, 'utf8'))).toMatchObject({ api: { port: PORT } });
});

test('a first call that ended half-way does not stand in the way of the next', async () => {
  const folder = join(await tempFolder(), 'cloud');
  const { cloudConfig } = openEmbeddedFolder(folder, PORT);
  rmSync(cloudConfig);
  openEmbeddedFolder(folder, PORT);
  expect(existsSync(cloudConfig)).toBe(true);
});
