import { generateKeyPairSync } from 'node:crypto';
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { CredentialLinkKey } from '../../../../edge/link/enrolment/credential-link-key.ts';
import { LinkFolder } from '../../../../edge/link/enrolment/link-folder.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

const refused = (code: string) => expect.objectContaining({ code });
const P256 = { namedCurve: 'P-256' };

test('as a file the key is for its owner alone, the same each time, and gone when the box has left', async () => {
  const keyDir = await tempFolder();
  const { key } = new LinkFolder(keyDir, undefined);
  await mkdir(join(keyDir, 'link'), { mode: 0o700 });
  const file = join(keyDir, 'link', 'key.p8');
  const made = key.open();
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(key.open().equals(made)).toBe(true);
  await chmod(file, 0o644);
  expect(() => key.open()).toThrow(refused('key_file_unsafe'));
  await chmod(file, 0o600);
  await writeFile(file, generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey.export({ type: 'pkcs8', format: 'der' }));
  expect(() => key.open()).toThrow(refused('key_rejected'));
  await writeFile(file, 'no key');
  expect(() => key.open()).toThrow(refused('key_rejected'));
  key.forget();
  await expect(readFile(file)).rejects.toThrow('ENOENT');
  expect(key.open().equals(made)).toBe(false);
});

test('as a credential of systemd it is read where systemd puts it, and never made or removed here', async () => {
  const folder = await tempFolder();
  const before = process.env.CREDENTIALS_DIRECTORY;
  process.env.CREDENTIALS_DIRECTORY = folder;
  onTestFinished(() => {
    if (before === undefined) delete process.env.CREDENTIALS_DIRECTORY;
    else process.env.CREDENTIALS_DIRECTORY = before;
  });
  const key = new CredentialLinkKey('link-key');
  expect(() => key.open()).toThrow(refused('key_file_missing'));
  const { privateKey } = generateKeyPairSync('ec', P256);
  await writeFile(join(folder, 'link-key'), privateKey.export({ type: 'pkcs8', format: 'der' }));
  expect(key.open().equals(privateKey)).toBe(true);
  key.forget();
  expect(key.open().equals(privateKey)).toBe(true);
});
