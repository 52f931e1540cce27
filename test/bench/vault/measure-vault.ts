import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { VaultClient } from '../../../edge/vault/client.ts';
import { embeddingOf, MODEL } from '../../helpers/vault-guests.ts';
import { medianOf } from '../stages/median-of.ts';
import { fullVault } from './full-vault.ts';

const OPENINGS = 3;
const ERASURES = 9;
const MOVES = 5;

export interface VaultFigures {
  readonly customers: number;
  /** From the start of the process until it answers, milliseconds; the files are in the page cache. */
  readonly coldOpenMs: number;
  readonly searchMs: number;
  readonly eraseMs: number;
  /** Until every header key is under the tenant key of the next epoch, on the disk. */
  readonly moveEpochMs: number;
  /** Of the vault's process, after all that. */
  readonly rssMb: number;
}

export async function measureVault(customers: number): Promise<VaultFigures> {
  const folder = await mkdtemp(join(tmpdir(), 'securegate-bench-'));
  const vault = await fullVault(customers, folder);
  try {
    const openings: number[] = [];
    for (let count = 0; count < OPENINGS; count += 1) {
      await vault.stop();
      openings.push(await timed(() => vault.start()));
    }
    if (vault.faces !== customers) throw new Error(`${vault.faces} of ${customers} faces were read`);
    const { search } = await medianOf({ search: () => vault.search({ embeddings: [embeddingOf(7)], model: MODEL, limit: 5 }) });
    const eraseMs = await measureErasures(vault);
    const moves: number[] = [];
    for (let count = 0; count < MOVES; count += 1) moves.push(await timed(() => vault.moveEpoch()));
    const status = readFileSync(`/proc/${vault.pid}/status`, 'latin1');
    const rssMb = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
    return { customers, coldOpenMs: median(openings), searchMs: search, eraseMs, moveEpochMs: median(moves), rssMb };
  } finally {
    await vault.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureErasures(vault: VaultClient): Promise<number> {
  const { items } = await vault.listCustomers({ limit: ERASURES });
  const took: number[] = [];
  for (const { customerId } of items) took.push(await timed(() => vault.removeCustomer(customerId)));
  return median(took);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begunAt = performance.now();
  await work();
  return performance.now() - begunAt;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
