import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VaultClient } from '../../../edge/vault/client.ts';
import { projectRoot } from '../../../models/registry/project-root.ts';
import { withStaging } from '../../../models/registry/staging.ts';
import { newId } from '../../../shared/ids/ids.ts';
import { createLogger } from '../../../shared/log/create-logger.ts';
import { consentFor, guest } from '../../helpers/vault-guests.ts';

/** As many as a vault lets wait. */
const AT_ONCE = 500;
const TEN_YEARS_MS = 10 * 365 * 86_400_000;
/** Kept in memory where there is such a place: nobody waits for its disk 200,000 times. */
const FAST = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/**
 * The client, not started, of a vault with so many customers, one face each, in a folder that is the caller's. The vault is made once, by the
 * product itself, and kept from one run to the next.
 */
export async function fullVault(customers: number, folder: string): Promise<VaultClient> {
  const code = createHash('sha256').update(await readFile(new URL(import.meta.url)));
  const cache = join(projectRoot(), '.cache', 'bench');
  const made = join(cache, `vault-${customers}-${code.digest('hex').slice(0, 16)}`);
  if (!existsSync(made)) {
    process.stderr.write(`making a vault of ${customers} customers, once\n`);
    await withStaging(cache, async (staging) => {
      await make(customers, join(staging, 'vault'));
      await rename(join(staging, 'vault'), made);
    });
  }
  await cp(made, folder, { recursive: true });
  return clientOf(folder, await readFile(join(folder, 'box'), 'utf8'));
}

async function make(customers: number, folder: string): Promise<void> {
  const fast = await mkdtemp(join(FAST, 'securegate-bench-'));
  const box = newId('box');
  const vault = clientOf(fast, box);
  try {
    await mkdir(join(fast, 'keys'), { mode: 0o700 });
    await writeFile(join(fast, 'box'), box);
    await vault.start();
    for (let first = 0; first < customers; first += AT_ONCE) {
      const seeds = Array.from({ length: Math.min(AT_ONCE, customers - first) }, (_, index) => first + index);
      await Promise.all(seeds.map((seed) => vault.enrolCustomer({ ...guest(seed), consent: consentFor(TEN_YEARS_MS) })));
    }
    await vault.stop();
    await cp(fast, folder, { recursive: true });
  } finally {
    await vault.stop();
    await rm(fast, { recursive: true, force: true });
  }
}

function clientOf(folder: string, box: string): VaultClient {
  const logger = createLogger('bench', { level: 'error' });
  return new VaultClient({ org: 'bench', tenant: 'bench', box, dataDir: join(folder, 'data'), keyDir: join(folder, 'keys'), logger });
}
