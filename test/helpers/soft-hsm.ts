import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempFolder } from './temp-folder.ts';

/** SoftHSM2 (Debian's `softhsm2`) and the addon that speaks to it. */
const LIBRARY = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so',
].find((path) => existsSync(path));
const ADDON = join(import.meta.dirname, '../../node_modules/pkcs11js/build/Release/pkcs11.node');

/** Whether tests can use a token; without Debian's package or a C++ compiler they are skipped. */
export const hasSoftHsm = LIBRARY !== undefined && existsSync(ADDON);

export interface TestToken {
  readonly library: string;
  readonly token: string;
  /** PINs, each in a file of mode 0600. */
  readonly pinFile: string;
  readonly soPinFile: string;
  readonly folder: string;
  /** What a process needs in its environment to find this token. */
  readonly env: { readonly SOFTHSM2_CONF: string };
}

export const USER_PIN = 'user-pin-4711';
export const SO_PIN = 'so-pin-0815';

/**
 * A fresh token in a folder of its own, removed after the test; the system's tokens are never touched. SoftHSM reads its
 * environment when it is initialised, so one process has one token at a time.
 */
export async function softHsmToken(): Promise<TestToken> {
  const folder = await tempFolder();
  await mkdir(join(folder, 'tokens'));
  const conf = join(folder, 'softhsm2.conf');
  await writeFile(conf, `directories.tokendir = ${join(folder, 'tokens')}\nobjectstore.backend = file\nlog.level = ERROR\n`);
  const env = { SOFTHSM2_CONF: conf };
  process.env.SOFTHSM2_CONF = conf;
  execFileSync('softhsm2-util', ['--init-token', '--free', '--label', 'securegate', '--so-pin', SO_PIN, '--pin', USER_PIN], {
    env: { ...process.env, ...env },
    stdio: 'ignore',
  });
  const pinFile = join(folder, 'user.pin');
  const soPinFile = join(folder, 'so.pin');
  await writeFile(pinFile, `${USER_PIN}\n`, { mode: 0o600 });
  await writeFile(soPinFile, `${SO_PIN}\n`, { mode: 0o600 });
  return { library: LIBRARY ?? '', token: 'securegate', pinFile, soPinFile, folder, env };
}
