import { execFile } from 'node:child_process';
import { createHash, createPublicKey } from 'node:crypto';
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { calculateJwkThumbprint } from 'jose';
import { beforeEach, describe, expect, test } from 'vitest';
import { readDeviceKey } from '../../../../cloud/kms/hsm/device-key.ts';
import { openAppliance } from '../../../../edge/appliance/open-appliance.ts';
import { FileDeviceKeys } from '../../../../edge/vault/keys/device/file-device-keys.ts';
import { hasSoftTpm, softTpm } from '../../../helpers/soft-tpm.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

const MAIN = join(import.meta.dirname, '../../../../provisioning/main.ts');
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(await tempFolder(), 'box-'));
});

async function show(config: object, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const file = join(folder, 'box.json');
  await writeFile(file, JSON.stringify({ dataDir: 'data', keyDir: 'keys', tenants: [{ id: 'hall', org: 'acme' }], ...config }));
  return promisify(execFile)(process.execPath, [MAIN, 'device-keys', 'show', '--config', file, ...args]);
}

function inTpm(tcti: string): object {
  return { lease: { kmsKeys: 'kms-keys.json', tpm: { tcti, deviceKeys: 'tpm' } } };
}

function boxId(): string {
  const appliance = openAppliance(join(folder, 'data'));
  appliance.close();
  return appliance.box;
}

test('makes the keys and shows what an assignment names, as the KMS reads it', async () => {
  const { stdout } = await show({}, '--json');
  const { id, wrap, jkt, pem, keptIn } = JSON.parse(stdout);
  const place = { id, folder: join(folder, 'keys', 'device'), dataDir: join(folder, 'data') };
  const { signingKey, wrapKey } = FileDeviceKeys.open(place);
  expect({ id, wrap, jkt, pem, keptIn }).toEqual({
    id: boxId(),
    wrap: readDeviceKey(wrapKey).fingerprint,
    jkt: await calculateJwkThumbprint(signingKey),
    pem: wrapKey,
    keptIn: 'file',
  });
  expect(JSON.parse((await show({}, '--json')).stdout)).toEqual({ id, wrap, jkt, pem, keptIn });
});

test('writes the wrap key where it is told to, and prints no private key', async () => {
  const file = join(folder, 'box.pem');
  const { stdout } = await show({}, '--pem', file);
  const pem = await readFile(file, 'utf8');
  expect(stdout).toContain(readDeviceKey(pem).fingerprint);
  expect(stdout).toContain(file);
  expect(stdout + pem).not.toContain('PRIVATE');
  await expect(show({}, '--pem', join(folder, 'none', 'box.pem'))).rejects.toThrow(/storage_failed/);
});

test('is refused while the daemon runs', async () => {
  const appliance = openAppliance(join(folder, 'data'));
  try {
    await expect(show({})).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('data_folder_in_use') });
  } finally {
    appliance.close();
  }
});

describe('in the TPM', () => {
  test('that is not there: told with what to do, and no key is made in a file instead', async () => {
    await expect(show(inTpm('device:/dev/none'))).rejects.toMatchObject({
      stderr: expect.stringMatching(/tpm_unavailable/),
    });
    expect(await readdir(join(folder, 'keys', 'device'))).toEqual([]);
  });

  test.skipIf(!hasSoftTpm)('makes them there', async () => {
    const { tcti } = await softTpm();
    const { stdout } = await show(inTpm(tcti), '--json');
    const { keptIn, pem, wrap } = JSON.parse(stdout);
    const der = createPublicKey(pem).export({ type: 'spki', format: 'der' });
    expect({ keptIn, wrap }).toEqual({ keptIn: 'tpm', wrap: createHash('sha256').update(der).digest('base64url') });
    expect(await readdir(join(folder, 'keys', 'device'))).toEqual(['device.lock', 'signing.tpm', 'wrap.tpm']);
  });
});
