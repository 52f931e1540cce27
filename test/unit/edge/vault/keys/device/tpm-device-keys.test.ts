import { constants, generateKeyPairSync, publicEncrypt, randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { verifyExportRequest } from '../../../../../../cloud/kms/export/verify-export-request.ts';
import { readDeviceKey } from '../../../../../../cloud/kms/hsm/device-key.ts';
import { Tpm } from '../../../../../../edge/runtime/tpm/tpm.ts';
import { TpmDeviceKeys } from '../../../../../../edge/vault/keys/device/tpm-device-keys.ts';
import { newId } from '../../../../../../shared/ids/ids.ts';
import { EXPORT_REQUEST_TYPE, KMS_AUDIENCE } from '../../../../../../shared/lease/export-request.ts';
import { hasSoftTpm, type SoftTpm, softTpm } from '../../../../../helpers/soft-tpm.ts';
import { tempFolder } from '../../../../../helpers/temp-folder.ts';

const id = newId('box');
const unusable = { code: 'device_keys_unusable' };
let tpm: SoftTpm;
let folder: string;
let dataDir: string;
const open = (on = tpm): Promise<TpmDeviceKeys> => TpmDeviceKeys.open({ id, folder, dataDir }, new Tpm(on.tcti));

function wrap(key: string, oaepHash: string, secret = randomBytes(32)): Buffer {
  return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, secret);
}

describe.skipIf(!hasSoftTpm)("a box's keys in its TPM", () => {
  beforeEach(async () => {
    const box = await tempFolder();
    dataDir = join(box, 'data');
    folder = join(box, 'keys', 'device');
    await mkdir(dataDir);
    tpm = await softTpm();
  });

  test('are made once and found again, also after a restart', async () => {
    const { signingKey, wrapKey } = await open();
    await tpm.reboot();
    expect(await open()).toMatchObject({ id, signingKey, wrapKey });
    expect(await readdir(folder)).toEqual(['device.lock', 'signing.tpm', 'wrap.tpm']);
    expect(readDeviceKey(wrapKey).key.asymmetricKeyDetails).toMatchObject({ modulusLength: 2048 });
  });

  test('sign what the KMS takes, many times alike', async () => {
    const keys = await open();
    const nonce = randomBytes(32).toString('base64url');
    const claims = { aud: KMS_AUDIENCE, sub: id, org: 'acme', tenant: 'hall', epoch: 1, nonce, hpke: nonce };
    // R and S are shorter than 32 bytes now and then.
    for (let time = 0; time < 20; time += 1)
      expect(await verifyExportRequest(await keys.sign(EXPORT_REQUEST_TYPE, claims))).toMatchObject({ device: id, nonce });
  });

  test.each(['sha1', 'sha256'] as const)('open what was wrapped to them with OAEP and %s', async (oaepHash) => {
    const keys = await open();
    const tek = randomBytes(32);
    const opened = await keys.unwrap(wrap(keys.wrapKey, oaepHash, tek), oaepHash);
    expect(opened).toEqual(tek);
    expect(opened.buffer.byteLength, 'unpooled').toBe(32);
  });

  test('refuse what was wrapped to another key, by another hash, or was changed', async () => {
    const keys = await open();
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const bent = wrap(keys.wrapKey, 'sha256');
    bent.writeUInt8(bent.readUInt8(100) ^ 1, 100);
    for (const wrapped of [wrap(other, 'sha256'), wrap(keys.wrapKey, 'sha1'), bent, Buffer.alloc(3)])
      await expect(keys.unwrap(wrapped, 'sha256')).rejects.toMatchObject({ code: 'lease_rejected' });
    const tek = randomBytes(32);
    expect(await keys.unwrap(wrap(keys.wrapKey, 'sha256', tek), 'sha256'), 'the TPM is still well').toEqual(tek);
  });

  test('are of no use in another TPM, nor in this one when it was cleared', async () => {
    await open();
    await expect(open(await softTpm())).rejects.toMatchObject(unusable);
    await tpm.tool('tpm2_clear', '-c', 'p');
    await expect(open()).rejects.toMatchObject(unusable);
  });

  test('never leave the TPM', async () => {
    await open();
    for (const file of ['signing.tpm', 'wrap.tpm']) {
      const stored = JSON.parse(await readFile(join(folder, file), 'utf8'));
      await writeFile(join(dataDir, 'pub'), Buffer.from(stored.public, 'base64url'));
      const told = await tpm.tool('tpm2_print', '-t', 'TPM2B_PUBLIC', join(dataDir, 'pub'));
      expect(told).toMatch(/fixedtpm\|fixedparent\|sensitivedataorigin/);
    }
  });

  test('are refused where others may read their files, and when one is damaged; nothing is put in its place', async () => {
    await open();
    await chmod(join(folder, 'wrap.tpm'), 0o644);
    await expect(open()).rejects.toMatchObject({ code: 'key_file_unsafe' });
    await chmod(join(folder, 'wrap.tpm'), 0o600);
    const good = JSON.parse(await readFile(join(folder, 'wrap.tpm'), 'utf8'));
    for (const content of ['', '{}', JSON.stringify({ ...good, private: good.private.replace(/.{20}$/, 'A'.repeat(20)) })]) {
      await writeFile(join(folder, 'wrap.tpm'), content);
      await expect(open()).rejects.toMatchObject(unusable);
      expect(await readFile(join(folder, 'wrap.tpm'), 'utf8')).toBe(content);
    }
  });

  test('a lost one is replaced, and the other one stays', async () => {
    const before = await open();
    await rm(join(folder, 'signing.tpm'));
    const after = await open();
    expect(after.wrapKey).toBe(before.wrapKey);
    expect(after.signingKey).not.toEqual(before.signingKey);
  });

  test('there is no falling back to files without a TPM', async () => {
    await tpm.cut();
    await expect(open()).rejects.toMatchObject({ code: 'tpm_unavailable' });
    expect(await readdir(folder)).toEqual([]);
  });
});
