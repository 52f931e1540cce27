import { chmod, chown, link, mkdir, open, readdir, readFile, rename, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { StandaloneKeySource } from '../../../../../edge/vault/keys/standalone-key-source.ts';
import { type TestBox, testBox } from '../../../../helpers/vault.ts';

let box: TestBox;
let path: string;
const source = (keyDir = box.keyDir): StandaloneKeySource => new StandaloneKeySource({ keyDir, dataDir: box.dataDir, tenant: 'hall' });
const refused = (code: string, message: RegExp): unknown => expect.objectContaining({ code, message: expect.stringMatching(message) });

beforeEach(async () => {
  box = await testBox();
  path = join(box.keyDir, 'hall.key');
  await mkdir(box.dataDir);
});

describe('a first start', () => {
  test('makes a key of 32 bytes that its owner alone may read, and opens it', async () => {
    expect(await source().provision()).toBe(1);
    const { mode, size } = await stat(path);
    expect([mode & 0o777, size]).toEqual([0o600, 32]);
    expect(await source().open(1)).toEqual(await readFile(path));
  });

  test('makes the key folder where there is none', async () => {
    const keyDir = join(box.keyDir, 'deep', 'er');
    await source(keyDir).provision();
    expect((await stat(keyDir)).mode & 0o777).toBe(0o700);
  });

  test('leaves a key that is there alone', async () => {
    await source().provision();
    const before = await readFile(path);
    await source().provision();
    expect(await readFile(path)).toEqual(before);
  });
});

describe('the key is refused', () => {
  beforeEach(() => source().provision());

  test('when it is missing', async () => {
    await rename(path, `${path}.away`);
    await expect(source().open(1)).rejects.toThrow(refused('key_file_missing', /not there/));
    await expect(source(join(box.keyDir, 'none')).open(1)).rejects.toThrow(refused('key_file_missing', /folder/));
  });

  test.each([0o640, 0o604, 0o620, 0o700])('with mode %o', async (mode) => {
    await chmod(path, mode);
    await expect(source().open(1)).rejects.toThrow(refused('key_file_unsafe', /open to others/));
  });

  test('as a symbolic link, wherever it leads', async () => {
    await rename(path, join(box.dataDir, 'hall.key'));
    await symlink(join(box.dataDir, 'hall.key'), path);
    await expect(source().open(1)).rejects.toThrow(refused('key_file_unsafe', /symbolic link/));
  });

  test('with a second name, which could lie in the data folder', async () => {
    await link(path, join(box.dataDir, 'copy'));
    await expect(source().open(1)).rejects.toThrow(refused('key_file_unsafe', /second name/));
  });

  test('as something other than a file', async () => {
    await rename(path, `${path}.away`);
    await mkdir(path);
    await expect(source().open(1)).rejects.toThrow(refused('key_file_unsafe', /regular file/));
  });

  test('in a folder that others may write to', async () => {
    await chmod(box.keyDir, 0o777);
    await expect(source().open(1)).rejects.toThrow(refused('key_file_unsafe', /write to the key folder/));
  });

  test.skipIf(process.getuid?.() !== 0)('of another user (needs root to give a file away)', async () => {
    await chown(path, 12345, 12345);
    await expect(source().open(1)).rejects.toThrow(refused('key_file_unsafe', /another user/));
  });

  test('with another length than a key has', async () => {
    await truncate(path, 31);
    await expect(source().open(1)).rejects.toThrow(refused('key_rejected', /does not hold a key/));
  });

  test('for another epoch', async () => {
    await expect(source().open(2)).rejects.toThrow(refused('key_rejected', /epoch/));
  });
});

describe('the next epoch', () => {
  beforeEach(() => source().provision());

  test('has a key of its own, beside the one before until this is retired', async () => {
    await source().prepare(2);
    const [first, second] = [await source().open(1), await source().open(2)];
    expect(second.equals(first)).toBe(false);
    await source().prepare(2);
    expect(await source().open(2)).toEqual(second);
    const held = await open(path);
    await source().retire(2);
    expect(await readdir(box.keyDir)).toEqual(['hall.2.key']);
    // The file is overwritten before it is removed.
    const { buffer } = await held.read(Buffer.alloc(32), 0, 32, 0);
    await held.close();
    expect(buffer.equals(first)).toBe(false);
    await expect(source().open(1)).rejects.toThrow(refused('key_rejected', /epoch/));
    expect(await source().provision()).toBe(2);
  });

  test('is none for files that only look like keys, or are those of another tenant', async () => {
    for (const name of ['hall.02.key', 'hall.2.key.new', 'hall-two.2.key', 'hall.x.key'])
      await writeFile(join(box.keyDir, name), '', { mode: 0o600 });
    expect(await source().provision()).toBe(1);
    await source().prepare(10);
    expect(await source().provision()).toBe(10);
  });
});

describe('the key folder is refused in the data folder', () => {
  test('itself', async () => {
    await expect(source(box.dataDir).provision()).rejects.toThrow(refused('key_file_unsafe', /in the data folder/));
  });

  test('below it', async () => {
    await expect(source(join(box.dataDir, 'a', 'keys')).provision()).rejects.toThrow(refused('key_file_unsafe', /in the data folder/));
  });

  test('behind a symbolic link', async () => {
    await mkdir(join(box.dataDir, 'real'));
    await symlink(join(box.dataDir, 'real'), join(box.keyDir, 'looks-outside'));
    await expect(source(join(box.keyDir, 'looks-outside')).provision()).rejects.toThrow(refused('key_file_unsafe', /in the data folder/));
  });

  test('but a name that only begins like it is fine', async () => {
    const keyDir = `${box.dataDir}-keys`;
    await source(keyDir).provision();
    await writeFile(join(keyDir, 'other'), '');
    expect(await source(keyDir).open(1)).toHaveLength(32);
  });
});
