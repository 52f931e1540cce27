import type { Logger } from '../../../shared/log/create-logger.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { CustomerAccess } from '../customers/customer-access.ts';
import { OpenedCustomers } from '../customers/opened-customers.ts';
import { asVaultError } from '../store/as-vault-error.ts';
import type { DaySpan, SightingStore, StoredSightingRow } from '../store/sighting-store.ts';
import { dayOf, FIRST_DAY } from './day-of.ts';
import { openSighting } from './open-sighting.ts';

const DAY_MS = 86_400_000;
/** Sightings that one step looks at: the vault answers one request at a time, and faces wait behind this one. */
const LOOKED_AT = 200;
/** Between two steps the vault answers whoever waits. */
const PAUSE_MS = 100;
const LOOK_EVERY_MS = 600_000;

/** Removes the tenant's sightings when they have been kept for long enough. Until somebody says how long that is, all are kept. */
export class Retention {
  readonly #access: CustomerAccess;
  readonly #store: SightingStore;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #days: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(access: CustomerAccess, store: SightingStore, clock: Clock, logger: Logger) {
    this.#access = access;
    this.#store = store;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** From now on, sightings are kept for so many days (UTC), the present one among them. */
  keep(days: number): void {
    this.#days = days;
    this.#plan(0);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Sightings that ended on an earlier day are shown to nobody any more, also while they wait to be removed. */
  get firstKept(): string {
    if (this.#days === undefined) return FIRST_DAY;
    return dayOf(new Date(this.#clock.now() - (this.#days - 1) * DAY_MS).toISOString());
  }

  /**
   * Removes some of the sightings that are over.
   * @returns whether there is more to do
   * @throws {SecureGateError} `storage_failed`
   */
  sweep(): boolean {
    const { firstKept } = this;
    const over = this.#days === undefined ? undefined : this.#store.firstDayBefore(firstKept);
    if (over === undefined) return false;
    const rows = this.#store.lookAt(over, LOOKED_AT);
    using customers = new OpenedCustomers(this.#access);
    const days = rows.map((row) => this.#dayOf(row, over, firstKept, customers));
    this.#store.sweep({
      day: over.day,
      // A page that is not full was the last one.
      next: rows.length < LOOKED_AT ? undefined : (rows.at(-1)?.position ?? 0) + 1,
      over: rows.filter((_row, index) => (days[index] ?? firstKept) < firstKept),
      kept: rows.flatMap(({ position }, index) => {
        const day = days[index] ?? firstKept;
        return day < firstKept ? [] : [{ position, day }];
      }),
    });
    return true;
  }

  /**
   * The day to which a row belongs. Only where days overlap does its sighting have to be opened: one that was reported again
   * after midnight belongs to the later day. What does not open is kept until all the days are over to which it can belong.
   */
  #dayOf(row: StoredSightingRow, { day }: DaySpan, firstKept: string, customers: OpenedCustomers): string {
    const last = this.#store.lastDayAt(row.position);
    if (last !== undefined && last < firstKept && day !== '') return day;
    const sighting = this.#access.skipRejected(row.id, () => openSighting(row, customers));
    return sighting ? dayOf(sighting.endedAt) : firstKept;
  }

  #plan(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#step(), milliseconds);
  }

  /** Nobody waits for this: a failure is logged, and tried again when it is time to look again. */
  #step(): void {
    let more = false;
    try {
      more = this.sweep();
    } catch (error) {
      this.#logger.error({ err: asVaultError(error) }, 'sightings that are over were not removed yet');
    }
    this.#plan(more ? PAUSE_MS : LOOK_EVERY_MS);
  }
}
