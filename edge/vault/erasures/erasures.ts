import { z } from 'zod';
import type { Clock } from '../../runtime/clock.ts';
import { cursorAt, positionOf } from '../cursor.ts';
import type { Gives, Taken } from '../protocol.ts';
import type { DestroyedEpochRow, ErasureRow, ErasureStore } from '../store/erasure-store.ts';
import { boxStateSchema } from './box-state.ts';

type ErasureView = Gives<'listErasures'>['items'][number];

const boxesSchema = z.array(boxStateSchema);

/**
 * Who was erased, and how far that goes. `erased`: with the present keyring nothing of him opens, whatever older files are put
 * beside it. `unrecoverable`: neither does a complete older copy of box and backups, since the tenant key that it takes exists no
 * more. The box cannot know that; it says so only on the word of the KMS.
 */
export class Erasures {
  readonly #store: ErasureStore;
  readonly #epoch: () => number;
  readonly #clock: Clock;

  /** @param epoch that of the tenant key now */
  constructor(store: ErasureStore, epoch: () => number, clock: Clock) {
    this.#store = store;
    this.#epoch = epoch;
    this.#clock = clock;
  }

  /** The last first. */
  list({ cursor, limit }: Taken<'listErasures'>): Gives<'listErasures'> {
    const rows = this.#store.before(positionOf(cursor), limit + 1);
    const items = rows.slice(0, limit);
    const last = items.at(-1);
    return { items: this.#viewsOf(items), next: rows.length > limit && last ? cursorAt(last.position) : null };
  }

  /** Of these customers, in this order; those who were not erased are left out. */
  of(customerIds: readonly string[]): ErasureView[] {
    return this.#viewsOf(customerIds.flatMap((customerId) => this.#store.find(customerId) ?? []));
  }

  /** Whether anybody was erased before this time (milliseconds since the Unix epoch) whom the present tenant key may bring back. */
  awaitMove(erasedBefore: number): boolean {
    return this.#store.hasOpen(this.#epoch(), erasedBefore);
  }

  recordReceipt({ epoch, unrecoverableFrom, boxes }: Taken<'recordReceipt'>): void {
    this.#store.putDestroyedEpoch({
      epoch,
      unrecoverable_from: unrecoverableFrom === null ? null : Date.parse(unrecoverableFrom),
      boxes: JSON.stringify(boxes),
    });
  }

  #viewsOf(rows: readonly ErasureRow[]): ErasureView[] {
    const receipts = this.#store.destroyedEpochs();
    return rows.map((row) => this.#viewOf(row, receipts));
  }

  #viewOf({ customer_id, erased_at, epoch }: ErasureRow, receipts: readonly DestroyedEpochRow[]): ErasureView {
    const covering = receipts.filter((receipt) => receipt.epoch >= epoch);
    const from = Math.min(...covering.map((receipt) => receipt.unrecoverable_from ?? Number.POSITIVE_INFINITY));
    return {
      customerId: customer_id,
      erasedAt: new Date(erased_at).toISOString(),
      epoch,
      keyReplaced: this.#epoch() > epoch,
      state: from <= this.#clock.now() ? 'unrecoverable' : 'erased',
      unrecoverableFrom: Number.isFinite(from) ? new Date(from).toISOString() : null,
      boxes: boxesSchema.parse(JSON.parse(covering[0]?.boxes ?? '[]')),
    };
  }
}
