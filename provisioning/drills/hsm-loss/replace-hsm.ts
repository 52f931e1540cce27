import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CloudProcess } from '../../cloud/cloud-process.ts';
import { securegate } from '../../cloud/securegate.ts';
import { NotHeld, requireThat } from '../harness/not-held.ts';

/** Ends a control plane and its KMS, and destroys the token of their HSM: nothing brings back what was in it. */
export async function loseHsm(cloud: CloudProcess): Promise<void> {
  await cloud.stop();
  await rm(join(cloud.folder, 'tokens'), { recursive: true });
}

/**
 * Makes another token with PINs of its own, and starts everything on it with the records of before: as its security officer, who sees that they
 * are older than nothing, has to order.
 */
export async function startOnNewHsm(cloud: CloudProcess): Promise<void> {
  const path = (name: string): string => join(cloud.folder, name);
  const { library, token } = JSON.parse(await readFile(cloud.trustConfig, 'utf8')) as { library: string; token: string };
  await mkdir(path('tokens'), { mode: 0o700 });
  for (const pin of ['user.pin', 'so.pin']) await writeFile(path(pin), randomBytes(16).toString('hex'), { mode: 0o600 });
  const pins = ['--pin-file', path('user.pin'), '--so-pin-file', path('so.pin')];
  await securegate(['kms-trust', 'init', '--library', library, '--token', token, ...pins], { env: cloud.env });
  const started = await cloud.start().then(
    () => true,
    () => false,
  );
  requireThat(!started, 'the KMS has started with records that its HSM does not know');
  const log = await readFile(path('cloud.log'), 'utf8');
  const [, records, counted] = /records: (\d+)\n *counted: (\d+)/.exec(log) ?? [];
  if (records === undefined || counted === undefined) throw new NotHeld('the KMS does not tell why it did not start');
  await securegate(['kms-trust', 'accept-records', records, counted, '--config', cloud.trustConfig], { env: cloud.env });
  await cloud.start();
}
