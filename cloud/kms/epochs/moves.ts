import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Logger } from '../../../shared/log/create-logger.ts';
import type { Cell } from '../hsm/hsm.ts';
import type { RollbackGuard } from '../rollback-guard.ts';
import type { LostBox } from '../store/move-records.ts';
import type { KmsStore } from '../store/open-kms-store.ts';

const DAY_MS = 86_400_000;
/** A crash has the boxes waited for so much longer at most. */
const NOTE_EVERY_MS = 60_000;

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
  /** When the old epoch goes, whoever has not moved by then, if the KMS is there until then. */
  readonly deadline: number;
  readonly boxes: readonly BoxState[];
}

export interface MovesOptions {
  readonly store: KmsStore;
  readonly guard: RollbackGuard;
  readonly eraseDeadlineDays: number;
  readonly now: () => number;
  /** Milliseconds since some time, set by nobody. */
  readonly monotonic: () => number;
  readonly logger: Logger;
}

/**
 * Moves of boxes from an epoch to the next one. A box that was erased from is behind until it has moved, and an absent one holds the
 * old epoch open only until the deadline: then it has lost it, whether its key is destroyed yet or not.
 *
 * A box is waited for as long as the KMS is there to be asked, and that time is measured, not read from a clock: one that is set forward
 * destroys no key early, and one that is set back keeps none.
 */
export class Moves {
  readonly #options: MovesOptions;
  /** Up to where the time is written down. */
  #noted = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: MovesOptions) {
    this.#options = options;
  }

  start(): void {
    this.#noted = this.#options.monotonic();
    this.#timer = setInterval(() => {
      try {
        this.#note();
      } catch (error) {
        this.#options.logger.error(
          { err: SecureGateError.from(error) },
          'for how long boxes were waited for is not written down; it is tried again',
        );
      }
    }, NOTE_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#note();
  }

  /** To be called where the next epoch becomes the newest, in one piece with that. */
  begin(cell: Cell): void {
    // What has passed until now is not of this move.
    this.#note();
    this.#options.store.moves.begin(cell, this.#options.now());
  }

  /** @throws {SecureGateError} `epoch_not_found`, `conflict` (it is the newest) */
  get(cell: Cell): Move {
    const { store, eraseDeadlineDays, now, monotonic } = this.#options;
    const { state } = store.epochs.get(cell);
    const begunAt = store.moves.begunAt(cell);
    if (begunAt === undefined) {
      throw new SecureGateError('conflict', 'No box moves away from the newest epoch', { details: { epoch: cell.epoch } });
    }
    const left = eraseDeadlineDays * DAY_MS - store.moves.waited(cell) - (monotonic() - this.#noted);
    const over = state !== 'ready' || left <= 0;
    const boxes = store.moves.boxes(cell).map(({ device, movedAt, counts }): BoxState => {
      return { device, state: movedAt !== null ? 'moved' : over || !counts ? 'lost' : 'waiting' };
    });
    return { begunAt, deadline: now() + Math.ceil(left), boxes };
  }

  /** Of all tenants: epochs that no box waits for any more, and whose keys are not destroyed. */
  left(): Cell[] {
    return this.#options.store.moves.open().filter((cell) => this.get(cell).boxes.every(({ state }) => state !== 'waiting'));
  }

  /** Boxes that have not said that they have left an epoch. @throws {SecureGateError} `epoch_not_found` */
  lost(cell: Cell): LostBox[] {
    const { store } = this.#options;
    store.epochs.get(cell);
    return store.moves.lost(cell);
  }

  /** To be called before a device is given the key of an epoch: from then on it may have left those before. */
  async noteKey(cell: Cell, device: string): Promise<void> {
    const { store, guard, now } = this.#options;
    if (store.moves.isFirstLaterKey(cell, device)) await guard.change(() => store.moves.noteLaterKey(cell, device, now()));
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

  #note(): void {
    const now = this.#options.monotonic();
    this.#options.store.moves.wait(Math.floor(now - this.#noted));
    this.#noted = now;
  }
}

const MOST_NAMED = 20;
