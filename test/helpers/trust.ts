import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TestToken } from './soft-hsm.ts';
import { tempFolder } from './temp-folder.ts';

const MAIN = fileURLToPath(new URL('../../provisioning/main.ts', import.meta.url));

/** Runs `securegate kms-trust` as the security officer does, in a process of its own: a library has one login at a time. */
export async function kmsTrust(config: object, order: string, ...args: string[]): Promise<string[]> {
  const file = join(await tempFolder(), 'trust.json');
  await writeFile(file, JSON.stringify(config));
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, 'kms-trust', order, '--config', file, ...args], {
    env: process.env,
  });
  return stdout.split('\n').filter((line) => line !== '');
}

export function tokenTrust({ library, token, soPinFile }: TestToken): object {
  return { driver: 'pkcs11', library, token, soPin: { file: soPinFile } };
}
