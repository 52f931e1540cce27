import type { Logger } from '../../shared/log/create-logger.ts';
import type { TenantsPort } from '../api/ports.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Part } from '../runtime/lifecycle.ts';

const LOOK_EVERY_MS = 600_000;
const HOUR_MS = 3_600_000;

export interface EpochMovesOptions {
  readonly tenants: Pick<TenantsPort, 'list' | 'vault'>;
  /** Tenants whose key comes from a KMS are moved when it says so. */
  readonly isLeased: (tenant: string) => boolean;
  /** Longest time from an erasure to another tenant key; 0: nobody is moved unasked. */
  readonly hours: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Gives tenants another key when somebody was erased: many erasures one key, and none of them waits for longer than so many hours. */
export class EpochMoves implements Part {
  readonly name = 'epoch moves';
  readonly #options: EpochMovesOptions;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(options: EpochMovesOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    if (this.#options.hours === 0) return;
    this.#timer = setInterval(() => {
      this.#looking = this.look();
    }, LOOK_EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  /** Moves every tenant whose time has come. One that fails is tried again when it is time to look again. */
  async look(): Promise<void> {
    const { tenants, isLeased, hours, clock, logger } = this.#options;
    const erasedBefore = new Date(clock.now() - hours * HOUR_MS).toISOString();
    for (const { id, state } of tenants.list()) {
      if (state !== 'ready' || isLeased(id)) continue;
      try {
        await tenants.vault(id).moveEpoch(erasedBefore);
      } catch (error) {
        logger.warn({ err: error, tenant: id }, 'the tenant has no other key yet');
      }
    }
  }
}
