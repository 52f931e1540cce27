import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Cell, Hsm } from '../hsm/hsm.ts';
import type { RollbackGuard } from '../rollback-guard.ts';
import type { EpochRecord } from '../store/epoch-records.ts';
import type { KmsStore } from '../store/open-kms-store.ts';
import type { Moves } from './moves.ts';

const DAY_MS = 86_400_000;

/** What became of a destroyed key. */
export interface Destruction {
  /** `unrecoverable`: nobody has it from `from` on. `erased`: it is gone from here, and backups are beyond what anybody can promise. */
  readonly state: 'unrecoverable' | 'erased';
  /** When backups of the HSM have let go of it as well, milliseconds since the Unix epoch. */
  readonly from: number | null;
}

export interface EpochsOptions {
  readonly hsm: Hsm;
  readonly store: KmsStore;
  readonly guard: RollbackGuard;
  readonly moves: Moves;
  readonly now: () => number;
}

/**
 * The epochs of tenants: one cell and one tenant key each. What is about to happen is written down first, so that a crash at
 * any point leaves either the epoch or one that is begun again, and a destruction that began is finished.
 *
 * That the making of an epoch was begun is remembered until it is finished, also where its cell was not there yet when it was looked for:
 * an HSM in a network may finish after the KMS gave up. Under the cell of such a record nobody was ever given a key, since the HSM counts
 * the finished ones and older records are refused: it is destroyed and made anew. Going on with it would save nothing and trust a key that
 * lay there unwatched. A cell that no record knows may be in use, and is neither used nor destroyed but with its tenant.
 */
export class Epochs {
  readonly #options: EpochsOptions;

  constructor(options: EpochsOptions) {
    this.#options = options;
  }

  /** Finishes what a crash left half done; what was in the making waits until it is asked for again. @returns how many epochs that were */
  async resume(): Promise<number> {
    const { hsm, store } = this.#options;
    for (const { wrapped, ...cell } of store.epochs.unchecked()) {
      const check = wrapped && (await this.#findCheck(cell, wrapped));
      if (check) store.epochs.addCheck(cell, check);
    }
    const unfinished = store.epochs.unfinished();
    for (const cell of unfinished) await (cell.state === 'making' ? hsm.destroyCell(cell) : this.#destroy(cell));
    return unfinished.length;
  }

  list(org: string, tenant: string): EpochRecord[] {
    return this.#options.store.epochs.list(org, tenant);
  }

  /**
   * Makes the next epoch of a tenant, from the second on to move its boxes there. An epoch that is there already is left as it is, so that it can be asked for again.
   * @throws {SecureGateError} `tenant_destroyed`, `tenant_frozen`, `cell_gone` (that epoch was destroyed), `conflict` (not the next one), and the HSM's
   */
  async create(cell: Cell): Promise<void> {
    const { hsm, store, guard, moves } = this.#options;
    const { org, tenant, epoch } = cell;
    store.denials.requireTenant(org, tenant);
    store.freezes.requireNone(org, tenant);
    const known = store.epochs.list(org, tenant);
    const same = known.find((one) => one.epoch === epoch);
    // Where the HSM failed to count it, it is asked for again.
    if (same?.state === 'ready') return await guard.settle();
    if (same && same.state !== 'making') throw gone(cell);
    const replaced = known.findLast(({ state }) => state !== 'making');
    const next = (replaced?.epoch ?? 0) + 1;
    if (epoch !== next) throw new SecureGateError('conflict', 'This is not the next epoch of the tenant', { details: { epoch, next } });
    if (same) await hsm.destroyCell(cell);
    else if (await hsm.hasCell(cell))
      throw new SecureGateError('conflict', 'The HSM knows a cell that these records do not', { details: { ...cell } });
    else store.epochs.begin(cell);
    const { wrapped, check } = await this.#makeKey(cell);
    await guard.change(() => {
      store.epochs.finish(cell, wrapped);
      store.epochs.addCheck(cell, check);
      if (replaced) moves.begin(replaced);
    });
  }

  /** The newest epoch of a tenant. @throws {SecureGateError} `epoch_not_found` */
  newest(org: string, tenant: string): number {
    const newest = this.#options.store.epochs.newest(org, tenant);
    if (newest === null) throw new SecureGateError('epoch_not_found', 'This tenant has no epoch', { details: { org, tenant } });
    return newest;
  }

  /**
   * The tenant key of an epoch, wrapped, for a device.
   * @throws {SecureGateError} `tenant_destroyed`, `tenant_frozen`, `epoch_not_found`, `cell_gone`, `epoch_replaced`
   */
  wrapped(cell: Cell, device: string): Buffer {
    const { store, moves } = this.#options;
    store.denials.requireTenant(cell.org, cell.tenant);
    store.freezes.requireNone(cell.org, cell.tenant);
    const { wrapped, state } = store.epochs.get(cell);
    if (wrapped === null || state !== 'ready') throw gone(cell, store.epochs.newest(cell.org, cell.tenant));
    moves.requireEntitled(cell, device);
    return wrapped;
  }

  /** Whether the HSM does not open the tenant key of an epoch that is not destroyed. @throws {SecureGateError} `epoch_not_found`, and the HSM's */
  async isLost(cell: Cell): Promise<boolean> {
    const { wrapped, state } = this.#options.store.epochs.get(cell);
    return state === 'ready' && wrapped !== null && (await this.#findCheck(cell, wrapped)) === undefined;
  }

  /**
   * Destroys an epoch that all boxes have left, or lost.
   * @throws {SecureGateError} `epoch_not_found`, `boxes_waiting`, `conflict` (it is the newest), and the HSM's
   */
  async destroy(cell: Cell): Promise<Destruction> {
    const done = this.destruction(cell);
    if (done) return done;
    this.#options.moves.requireLeft(cell);
    return await this.#destroy(cell);
  }

  /** What became of an epoch; null while its key is there. @throws {SecureGateError} `epoch_not_found` */
  destruction(cell: Cell): Destruction | null {
    const { destroyedAt } = this.#options.store.epochs.get(cell);
    return destroyedAt === null ? null : this.#stateSince(destroyedAt);
  }

  /** Destroys every epoch of a tenant and never makes one again. Asked for again, it finishes what is left. */
  async destroyTenant(org: string, tenant: string): Promise<Destruction> {
    const { store, guard, now } = this.#options;
    const left = store.epochs.list(org, tenant).filter(({ state }) => state !== 'destroyed');
    await guard.change(() => {
      store.denials.buryTenant(org, tenant, now());
      for (const cell of left) store.epochs.beginDestruction(cell);
    });
    for (const cell of left) await this.#destroy(cell);
    await this.#destroyForgotten(org, tenant);
    return this.#stateSince(Math.max(0, ...store.epochs.list(org, tenant).map(({ destroyedAt }) => destroyedAt ?? 0)));
  }

  async #destroy(cell: Cell): Promise<Destruction> {
    const { store, now } = this.#options;
    store.epochs.beginDestruction(cell);
    await this.#destroyCell(cell);
    const destroyedAt = now();
    store.epochs.finishDestruction(cell, destroyedAt);
    return this.#stateSince(destroyedAt);
  }

  /** Cells of a time that these records have forgotten follow the last one that they know. With newer records they would open again. */
  async #destroyForgotten(org: string, tenant: string): Promise<void> {
    const { hsm, store } = this.#options;
    const last = store.epochs.list(org, tenant).at(-1)?.epoch ?? 0;
    for (let cell = { org, tenant, epoch: last + 1 }; await hsm.hasCell(cell); cell = { ...cell, epoch: cell.epoch + 1 }) {
      await this.#destroyCell(cell);
    }
  }

  async #destroyCell({ org, tenant, epoch }: Cell): Promise<void> {
    const { hsm } = this.#options;
    await hsm.destroyCell({ org, tenant, epoch });
    if (await hsm.hasCell({ org, tenant, epoch }))
      throw new SecureGateError('hsm_refused', 'The HSM kept a cell that was destroyed', { details: { org, tenant, epoch } });
  }

  /** @returns the tenant key, wrapped, and by what it is known again */
  async #makeKey(cell: Cell): Promise<{ wrapped: Buffer; check: Buffer }> {
    const { hsm } = this.#options;
    try {
      await hsm.createCell(cell);
      const wrapped = await hsm.createTek(cell);
      return { wrapped, check: await hsm.checkTek(cell, wrapped) };
    } catch (error) {
      // Where the HSM cannot be reached now, the next try or the next start does it.
      await hsm.destroyCell(cell).catch(() => undefined);
      throw error;
    }
  }

  /** @returns undefined where the HSM does not open it */
  async #findCheck({ org, tenant, epoch }: Cell, wrapped: Buffer): Promise<Buffer | undefined> {
    try {
      return await this.#options.hsm.checkTek({ org, tenant, epoch }, wrapped);
    } catch (error) {
      if (error instanceof SecureGateError && (error.code === 'cell_gone' || error.code === 'tek_rejected')) return undefined;
      throw error;
    }
  }

  #stateSince(destroyedAt: number): Destruction {
    const { destroyHorizonDays } = this.#options.hsm.capabilities;
    if (destroyHorizonDays === null) return { state: 'erased', from: null };
    return { state: 'unrecoverable', from: destroyedAt + destroyHorizonDays * DAY_MS };
  }
}

/** @param newest the epoch to ask for instead */
function gone({ org, tenant, epoch }: Cell, newest: number | null = null): SecureGateError {
  return new SecureGateError('cell_gone', 'The key of this epoch was destroyed', { details: { org, tenant, epoch, newest } });
}
