import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VaultClient } from '../../../edge/vault/client.ts';
import { newId } from '../../../shared/ids/ids.ts';
import { createLogger } from '../../../shared/log/create-logger.ts';
import { embeddingOf, guest, MODEL } from '../../helpers/vault-guests.ts';
import { medianOf } from './median-of.ts';

/** As many as a vault takes at once. */
const FACES_EACH = 32;

/** Milliseconds from asking a tenant's vault, a process of its own, to its candidates, with so many faces in it. */
export async function measureSearch(sizes: readonly number[]): Promise<number[]> {
  const folder = await mkdtemp(join(tmpdir(), 'securegate-bench-'));
  const keyDir = join(folder, 'keys');
  await mkdir(keyDir, { mode: 0o700 });
  const logger = createLogger('bench', { level: 'warn' });
  const vault = new VaultClient({ org: 'bench', tenant: 'bench', box: newId('box'), dataDir: join(folder, 'data'), keyDir, logger });
  try {
    await vault.start();
    const figures: number[] = [];
    for (const size of sizes) {
      while (vault.faces < size) await enrol(vault, Math.min(FACES_EACH, size - vault.faces));
      const { search } = await medianOf({ search: () => vault.search({ embeddings: [embeddingOf(7)], model: MODEL, limit: 5 }) });
      figures.push(search);
    }
    return figures;
  } finally {
    await vault.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function enrol(vault: VaultClient, count: number): Promise<void> {
  const first = vault.faces;
  const faces = Array.from({ length: count }, (_, index) => guest(first + index).faces).flat();
  await vault.enrolCustomer({ ...guest(first), faces });
}
