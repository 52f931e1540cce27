import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../edge/runtime/clock.ts';
import { type OutboxSettings, VaultClient } from '../../edge/vault/client.ts';
import { StandaloneKeySource } from '../../edge/vault/keys/standalone-key-source.ts';
import { Vault } from '../../edge/vault/vault.ts';
import { newId } from '../../shared/ids/ids.ts';
import { testLogger } from './secrecy/test-logger.ts';
import { tempFolder } from './temp-folder.ts';

/** The folders of one box, and its id. */
export interface TestBox {
  readonly box: string;
  readonly dataDir: string;
  readonly keyDir: string;
}

export async function testBox(): Promise<TestBox> {
  const folder = await tempFolder();
  const keyDir = join(folder, 'keys');
  await mkdir(keyDir, { mode: 0o700 });
  return { box: newId('box'), dataDir: join(folder, 'data'), keyDir };
}

/** A vault in this process, not started; stopped when the test has ended. */
export function testVault(box: TestBox, tenant = 'hall', now: () => number = systemClock.now, outbox?: OutboxSettings): Vault {
  const { dataDir, keyDir } = box;
  const clock = { ...systemClock, now };
  const vault = new Vault({
    scope: { org: 'acme', tenant, box: box.box },
    dataDir,
    source: new StandaloneKeySource({ keyDir, dataDir, tenant }),
    outbox,
    clock,
    logger: testLogger(),
  });
  onTestFinished(() => vault.stop());
  return vault;
}

/** A vault in a process of its own, not started; stopped when the test has ended. */
export function testClient(box: TestBox, tenant = 'hall', outbox?: OutboxSettings): VaultClient {
  const client = new VaultClient({ org: 'acme', tenant, ...box, outbox, logger: testLogger() });
  onTestFinished(() => client.stop());
  return client;
}
