import { execFile } from 'node:child_process';
import { constants, generateKeyPairSync, publicEncrypt, randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, test } from 'vitest';
import { verifyExportRequest } from '../../../../../../cloud/kms/export/verify-export-request.ts';
import { readDeviceKey } from '../../../../../../cloud/kms/hsm/device-key.ts';
import { FileDeviceKeys } from '../../../../../../edge/vault/keys/device/file-device-keys.ts';
import { newId } from '../../../../../../shared/ids/ids.ts';
import { EXPORT_REQUEST_TYPE, KMS_AUDIENCE } from '../../../../../../shared/lease/export-request.ts';
import { tempFolder } from '../../../../../helpers/temp-folder.ts';

const id = newId('box');
let folder: string;
let dataDir: string;
const open = (place = folder): FileDeviceKeys => FileDeviceKeys.open({ id, folder: place, dataDir });
const thrown = (code: string): unknown => expect.objectContaining({ code });

beforeEach(async () => {
  const box = await tempFolder();
  dataDir = join(box, 'data');
  folder = join(box, 'keys', 'device');
  await mkdir(dataDir);
});

test('the first use makes the keys for their owner alone, and every later one finds them', async () => {
  const { signingKey, wrapKey } = open();
  for (const file of ['signing.p8', 'wrap.p8']) expect((await stat(join(folder, file))).mode & 0o777).toBe(0o600);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  expect(open()).toMatchObject({ id, signingKey, wrapKey });
});

test('processes that are the first at the same time get the same keys', async () => {
  const module = join(import.meta.dirname, '../../../../../../edge/vault/keys/device/file-device-keys.ts');
  const first = `import { FileDeviceKeys } from ${JSON.stringify(module)};
    const { signingKey, wrapKey } = FileDeviceKeys.open(${JSON.stringify({ id, folder, dataDir })});
    process.stdout.write(JSON.stringify({ signingKey, wrapKey }));`;
  const runs = await Promise.all([1, 2, 3].map(() => promisify(execFile)(process.execPath, ['--input-type=module', '--eval', first])));
  const { signingKey, wrapKey } = open();
  for (const { stdout } of runs) expect(JSON.parse(stdout)).toEqual({ signingKey, wrapKey });
});

test('the KMS takes the wrap key as the key of a device', () => {
  expect(readDeviceKey(open().wrapKey).key.asymmetricKeyDetails).toMatchObject({ modulusLength: 2048 });
});

test('the KMS takes what it signs', async () => {
  const nonce = randomBytes(32).toString('base64url');
  const claims = { aud: KMS_AUDIENCE, sub: id, org: 'acme', tenant: 'hall', epoch: 1, nonce, hpke: nonce };
  const request = await verifyExportRequest(await open().sign(EXPORT_REQUEST_TYPE, claims));
  expect(request).toMatchObject({ device: id, tenant: 'hall', nonce });
});

describe('what was wrapped', () => {
  test.each(['sha1', 'sha256'] as const)('with OAEP and %s opens into memory of its own', async (oaepHash) => {
    const keys = open();
    const tek = randomBytes(32);
    const wrapped = publicEncrypt({ key: keys.wrapKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, tek);
    const opened = await keys.unwrap(wrapped, oaepHash);
    expect(opened).toEqual(tek);
    expect(opened.buffer.byteLength).toBe(32);
  });

  test('to another key, by another hash or with a changed bit is refused', async () => {
    const keys = open();
    const wrap = (key: string, oaepHash: string): Buffer =>
      publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, randomBytes(32));
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const bent = wrap(keys.wrapKey, 'sha256');
    bent.writeUInt8(bent.readUInt8(100) ^ 1, 100);
    for (const wrapped of [wrap(other, 'sha256'), wrap(keys.wrapKey, 'sha1'), bent, Buffer.alloc(3)])
      await expect(keys.unwrap(wrapped, 'sha256')).rejects.toThrow(thrown('lease_rejected'));
  });
});

describe('the keys are refused', () => {
  beforeEach(() => void open());

  test('where others may read one', async () => {
    await chmod(join(folder, 'wrap.p8'), 0o640);
    expect(() => open()).toThrow(thrown('key_file_unsafe'));
  });

  test('where others may write to their folder', async () => {
    await chmod(folder, 0o770);
    expect(() => open()).toThrow(thrown('key_file_unsafe'));
  });

  test('as a symbolic link', async () => {
    await rename(join(folder, 'signing.p8'), join(dataDir, 'signing.p8'));
    await symlink(join(dataDir, 'signing.p8'), join(folder, 'signing.p8'));
    expect(() => open()).toThrow(thrown('key_file_unsafe'));
  });

  test('in the data folder, where a copy of the data would carry them', () => {
    expect(() => open(join(dataDir, 'device'))).toThrow(thrown('key_file_unsafe'));
  });

  test('when a file is damaged or holds the other key; nothing is put in its place', async () => {
    const wrap = await readFile(join(folder, 'wrap.p8'));
    for (const content of [Buffer.alloc(0), wrap.subarray(0, 100), randomBytes(138), wrap]) {
      await writeFile(join(folder, 'signing.p8'), content);
      expect(() => open()).toThrow(thrown('device_keys_unusable'));
      expect(await readFile(join(folder, 'signing.p8'))).toEqual(content);
    }
  });
});

test('a lost key is replaced, and the other one stays', async () => {
  const before = open();
  await rm(join(folder, 'signing.p8'));
  const after = open();
  expect(after.wrapKey).toBe(before.wrapKey);
  expect(after.signingKey).not.toEqual(before.signingKey);
});
