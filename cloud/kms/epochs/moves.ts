import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Cell } from '../hsm/hsm.ts';
import type { RollbackGuard } from '../rollback-guard.ts';
import type { KmsStore } from '../store/open-kms-store.ts';

const DAY_MS = 86_400_000;

export const BOX_STATES = ['moved', 'waiting', 'lost'] as const;

/**
 * How far a box has got. `moved`: it said that it needs the old epoch no more. `waiting`: not yet, and the old epoch is kept for it.
 * `lost`: it did not, and will not get over: it is denied or not assigned any more, or the time for it is over.
 */
interface BoxState {
  readonly device: string;
  readonly state: (typeof BOX_STATES)[number];
}

/** The move of a tenant's boxes away from an epoch. */
interface Move {
  /** Milliseconds since the Unix epoch. */
  readonly begunAt: number;
  /** When the old epoch goes, whoever has not moved by then. */
  readonly deadline: number;
  readonly boxes: readonly BoxState[];
}

export interface MovesOptions {
  readonly store: KmsStore;
  readonly guard: RollbackGuard;
  readonly eraseDeadlineDays: number;
  readonly now: () => number;
}

/**
 * Moves of boxes from an epoch to the next one. A box that was erased from is behind until it has moved, and an absent one holds the
 * old epoch open only until the deadline: then it has lost it, whether its key is destroyed yet or not.
 */
export class Moves {
  readonly #options: MovesOptions;

  constructor(options: MovesOptions) {
    this.#options = options;
  }

  /** To be called where the next epoch becomes the newest, in one piece with that. */
  begin(cell: Cell): void {
    this.#options.store.moves.begin(cell, this.#options.now());
  }

  /** @throws {SecureGateError} `epoch_not_found`, `conflict` (it is the newest) */
  get(cell: Cell): Move {
    const { store, eraseDeadlineDays, now } = this.#options;
    const { state } = store.epochs.get(cell);
    const begunAt = store.moves.begunAt(cell);
    if (begunAt === undefined) {
      throw new SecureGateError('conflict', 'No box moves away from the newest epoch', { details: { epoch: cell.epoch } });
    }
    const deadline = begunAt + eraseDeadlineDays * DAY_MS;
    const over = state !== 'ready' || now() >= deadline;
    const boxes = store.moves.boxes(cell).map(({ device, movedAt, counts }): BoxState => {
      return { device, state: movedAt !== null ? 'moved' : over || !counts ? 'lost' : 'waiting' };
    });
    return { begunAt, deadline, boxes };
  }

  /**
   * Takes a device's word that it is in an epoch now. It counts for all epochs before that one.
   * @throws {SecureGateError} `epoch_not_found`
   */
  async acknowledge(cell: Cell, device: string): Promise<void> {
    const { store, guard, now } = this.#options;
    store.epochs.get(cell);
    // A box says so again whenever it is not sure; that changes nothing and need not be counted.
    if (store.moves.isBehind(cell, device)) await guard.change(() => store.moves.acknowledge(cell, device, now()));
  }

  /**
   * The newest epoch is for every device that is assigned; an older one for those alone that still have to move away from it.
   * @throws {SecureGateError} `epoch_replaced`
   */
  requireEntitled(cell: Cell, device: string): void {
    if (this.#options.store.moves.begunAt(cell) === undefined) return;
    const box = this.get(cell).boxes.find((one) => one.device === device);
    if (box?.state === 'waiting') return;
    throw new SecureGateError('epoch_replaced', 'This device gets the key of a newer epoch only', {
      details: { epoch: cell.epoch, newest: this.#options.store.epochs.newest(cell.org, cell.tenant) },
    });
  }

  /** @throws {SecureGateError} `boxes_waiting` with the devices, `conflict` (it is the newest) */
  requireLeft(cell: Cell): void {
    const { boxes, deadline } = this.get(cell);
    const waiting = boxes.filter(({ state }) => state === 'waiting').map(({ device }) => device);
    if (waiting.length === 0) return;
    throw new SecureGateError('boxes_waiting', 'Boxes have yet to move away from this epoch', {
      details: {
        epoch: cell.epoch,
        deadline: new Date(deadline).toISOString(),
        waiting: waiting.slice(0, MOST_NAMED),
        more: waiting.length > MOST_NAMED,
      },
    });
  }
}

const MOST_NAMED = 20;
