import { randomBytes } from 'node:crypto';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { FileDeviceKeys } from '../../../../../../edge/vault/keys/device/file-device-keys.ts';
import type { HeldLease } from '../../../../../../edge/vault/keys/lease/lease-cache.ts';
import { SoftwareLeaseCache } from '../../../../../../edge/vault/keys/lease/software-lease-cache.ts';
import { newId } from '../../../../../../shared/ids/ids.ts';
import { tempFolder } from '../../../../../helpers/temp-folder.ts';

const id = newId('box');
let folder: string;
let device: FileDeviceKeys;

function cache(keys = device, tenant = 'hall', name = 'leases'): SoftwareLeaseCache {
  return new SoftwareLeaseCache({ org: 'acme', tenant, device: keys, file: join(folder, name) });
}

function lease(): HeldLease {
  return { token: randomBytes(200).toString('base64url'), tek: randomBytes(32) };
}

beforeEach(async () => {
  folder = await tempFolder();
  await mkdir(join(folder, 'data'));
  device = FileDeviceKeys.open({ id, folder: join(folder, 'device'), dataDir: join(folder, 'data') });
});

test('leases of several epochs are there for the next vault, until they are forgotten', async () => {
  const [first, second, third] = [lease(), lease(), lease()];
  expect(await cache().load(1)).toBeUndefined();
  await cache().save(1, first);
  await cache().save(2, second);
  await cache().save(1, third);
  const opened = await cache().load(1);
  expect([opened, await cache().load(2), await cache().load(3)]).toEqual([third, second, undefined]);
  expect(opened?.tek.buffer.byteLength, 'unpooled').toBe(32);
  await cache().forget(2);
  expect([await cache().load(1), await cache().load(2)]).toEqual([undefined, second]);
  await cache().forget(3);
  await expect(stat(join(folder, 'leases'))).rejects.toThrow('ENOENT');
  await cache().save(1, first);
  await cache().forget();
  expect(await cache().load(1)).toBeUndefined();
});

test('the file is for its owner alone and shows no key', async () => {
  const held = lease();
  await cache().save(1, held);
  expect((await stat(join(folder, 'leases'))).mode & 0o777).toBe(0o600);
  const content = await readFile(join(folder, 'leases'));
  expect([content.includes(held.tek), content.includes(held.token)]).toEqual([false, false]);
});

describe('does not open', () => {
  beforeEach(() => cache().save(1, lease()));

  test('under the key of another box, nor for another box or tenant', async () => {
    const other = (box: string, place: string): FileDeviceKeys =>
      FileDeviceKeys.open({ id: box, folder: join(folder, place), dataDir: join(folder, 'data') });
    for (const wrong of [cache(other(id, 'another')), cache(other(newId('box'), 'device')), cache(device, 'club')])
      await expect(wrong.load(1)).rejects.toMatchObject({ code: 'lease_cache_failed' });
  });

  test('with a changed bit or a lost end; then the next lease takes its place', async () => {
    const file = join(folder, 'leases');
    const content = await readFile(file);
    for (const at of [0, 200, 256, 300, content.length - 1]) {
      const bent = Buffer.from(content);
      bent.writeUInt8(bent.readUInt8(at) ^ 1, at);
      await writeFile(file, bent);
      await expect(cache().load(1)).rejects.toMatchObject({ code: 'lease_cache_failed' });
    }
    await writeFile(file, content.subarray(0, 100));
    await expect(cache().load(1)).rejects.toMatchObject({ code: 'lease_cache_failed' });
    const held = lease();
    await cache().save(1, held);
    expect(await cache().load(1)).toEqual(held);
  });
});

test('an older file that is put back brings the older lease back: this level promises nothing else', async () => {
  const older = lease();
  await cache().save(1, older);
  const content = await readFile(join(folder, 'leases'));
  await cache().save(1, lease());
  await writeFile(join(folder, 'leases'), content);
  expect(await cache().load(1)).toEqual(older);
});

test('a disk that does not take the file is told', async () => {
  await expect(cache(device, 'hall', 'gone/leases').save(1, lease())).rejects.toMatchObject({ code: 'lease_cache_failed' });
});
