import { MOST_USAGE_DAYS, type UsageOfRun } from '../../../shared/fleet/usage-batch.ts';
import type { Logger } from '../../../shared/log/create-logger.ts';
import type { Clock } from '../../runtime/clock.ts';
import { asVaultError } from '../store/as-vault-error.ts';
import type { UsageRow, UsageStore } from '../store/usage-store.ts';

/** How long counts wait for others to be written with them. */
const BATCH_MS = 5_000;

/** What a tenant used, counted by day (UTC). A write to the disk for every count would wear it out. */
export class UsageCounters {
  readonly #store: UsageStore;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #waiting = new Map<string, UsageRow>();
  #timer: NodeJS.Timeout | undefined;
  #failing = false;

  constructor(store: UsageStore, clock: Clock, logger: Logger) {
    this.#store = store;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Whether the last try to write failed. */
  get failing(): boolean {
    return this.#failing;
  }

  count(counter: string, by: number): void {
    const day = new Date(this.#clock.now()).toISOString().slice(0, 10);
    const key = `${day} ${counter}`;
    this.#waiting.set(key, { day, counter, amount: (this.#waiting.get(key)?.amount ?? 0) + by });
    this.#timer ??= setTimeout(() => this.#writeLater(), BATCH_MS);
  }

  /** Counters by day, from the first to the last day, both included. */
  between(from: string, to: string): { day: string; counters: Record<string, number> }[] {
    this.#write();
    const days = new Map<string, Record<string, number>>();
    for (const { day, counter, amount } of this.#store.between(from, to)) {
      const counters = days.get(day) ?? {};
      counters[counter] = amount;
      days.set(day, counters);
    }
    return [...days].map(([day, counters]) => ({ day, counters }));
  }

  /** What the control plane has not written down. */
  untold(): UsageOfRun[] {
    this.#write();
    return this.#store.untold(MOST_USAGE_DAYS);
  }

  /** The control plane has written down these amounts. */
  told(days: readonly UsageOfRun[]): void {
    this.#store.told(days);
  }

  /** Writes what waits. */
  stop(): void {
    this.#writeLater();
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.size === 0) return;
    this.#failing = true;
    this.#store.add(this.#waiting.values());
    this.#failing = false;
    this.#waiting = new Map();
  }

  /** Nobody waits for this write: a failure is logged, and the counts wait for the next one. */
  #writeLater(): void {
    try {
      this.#write();
    } catch (error) {
      this.#logger.error({ err: asVaultError(error) }, 'usage counters not written yet');
    }
  }
}
