import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { CloudProcess } from '../../cloud/cloud-process.ts';
import type { SoftTpm } from '../harness/soft-tpm.ts';
import type { AttackOptions, Loot } from './attack/attack.ts';

const MAIN = fileURLToPath(new URL('./attack/main.ts', import.meta.url));
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * Sets the attack, a program of its own, on copies; it reaches the living HSM as the KMS does.
 * @param tpm living, of a box: whoever has that box asks it as he likes
 */
export async function runAttack(cloud: CloudProcess, folders: readonly string[], tpm?: SoftTpm): Promise<Loot> {
  const options: AttackOptions = { folders, kmsConfig: `${cloud.folder}/kms.json`, ...(tpm && { tcti: tpm.tcti }) };
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, JSON.stringify(options)], {
    env: { ...process.env, ...cloud.env },
    maxBuffer: MOST_BYTES,
  });
  return JSON.parse(stdout) as Loot;
}
