import type { HeldLease, LeaseCache } from './lease-cache.ts';

/** Leases that end with the vault process, and so at the latest when the power goes. */
export class MemoryLeaseCache implements LeaseCache {
  readonly enforcement = 'memory';
  readonly #leases = new Map<number, HeldLease>();

  async load(epoch: number): Promise<HeldLease | undefined> {
    const lease = this.#leases.get(epoch);
    return lease && copy(lease);
  }

  async save(epoch: number, lease: HeldLease): Promise<void> {
    this.#leases.get(epoch)?.tek.fill(0);
    this.#leases.set(epoch, copy(lease));
  }

  async forget(before = Number.POSITIVE_INFINITY): Promise<void> {
    for (const [epoch, { tek }] of this.#leases) {
      if (epoch >= before) continue;
      tek.fill(0);
      this.#leases.delete(epoch);
    }
  }
}

/** The caller wipes his own key, and the cache its own. */
function copy({ token, tek }: HeldLease): HeldLease {
  const own = Buffer.alloc(tek.length);
  tek.copy(own);
  return { token, tek: own };
}
