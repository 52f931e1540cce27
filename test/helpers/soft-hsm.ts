import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findSoftHsm } from '../../provisioning/cloud/find-soft-hsm.ts';
import { noteSecret } from './secrecy/note-secret.ts';
import { tempFolder } from './temp-folder.ts';

/** SoftHSM2 (Debian's `softhsm2`) and the addon that speaks to it. */
const LIBRARY = findSoftHsm();

/** Whether tests can use a token; without Debian's package or a C++ compiler they are skipped. */
export const hasSoftHsm = LIBRARY !== undefined;

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
  return makeToken(await tempFolder());
}

/** The same in a folder that the caller removes. */
export function makeToken(folder: string): TestToken {
  mkdirSync(join(folder, 'tokens'));
  const conf = join(folder, 'softhsm2.conf');
  writeFileSync(conf, `directories.tokendir = ${join(folder, 'tokens')}\nobjectstore.backend = file\nlog.level = ERROR\n`);
  const env = { SOFTHSM2_CONF: conf };
  process.env.SOFTHSM2_CONF = conf;
  execFileSync('softhsm2-util', ['--init-token', '--free', '--label', 'securegate', '--so-pin', SO_PIN, '--pin', USER_PIN], {
    env: { ...process.env, ...env },
    stdio: 'ignore',
  });
  const pinFile = join(folder, 'user.pin');
  const soPinFile = join(folder, 'so.pin');
  noteSecret('user PIN', USER_PIN);
  noteSecret('PIN of the security officer', SO_PIN);
  writeFileSync(pinFile, `${USER_PIN}\n`, { mode: 0o600 });
  writeFileSync(soPinFile, `${SO_PIN}\n`, { mode: 0o600 });
  return { library: LIBRARY ?? '', token: 'securegate', pinFile, soPinFile, folder, env };
}
