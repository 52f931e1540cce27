import type { Kysely } from 'kysely';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Logger } from '../../../shared/log/create-logger.ts';
import { Regularly } from '../../../shared/runtime/regularly.ts';
import type { Database } from '../../store/database.ts';
import type { JobLeases } from '../../store/job-leases.ts';
import { sweepCommands } from './sweep-commands.ts';
import { sweepCounts } from './sweep-counts.ts';
import { sweepEnrolmentTokens } from './sweep-enrolment-tokens.ts';
import { sweepReceipts } from './sweep-receipts.ts';
import { sweepSightings } from './sweep-sightings.ts';

const DAY_MS = 86_400_000;
const SWEEP_EVERY_MS = 3_600_000;

export interface RetentionOptions {
  readonly db: Kysely<Database>;
  readonly leases: JobLeases;
  /** How long commands that are settled, words of boxes and enrolment tokens are kept. */
  readonly commandDays: number;
  /** How long it is known how many sightings there were and what was used. */
  readonly countDays: number;
  readonly now: () => number;
  readonly logger: Logger;
}

/**
 * Removes what is not kept any longer; one process of all at a time. What proves that something was deleted is kept for ever, and so is the
 * log.
 */
export class Retention {
  readonly #options: RetentionOptions;
  readonly #sweeps = new Regularly(SWEEP_EVERY_MS, () => this.sweep());
  readonly #stopping = new AbortController();

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  start(): void {
    this.#sweeps.start();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#sweeps.stop();
  }

  async sweep(): Promise<void> {
    const { leases, logger } = this.#options;
    try {
      await leases.run('retention', (lost) => this.#removeAll(AbortSignal.any([lost, this.#stopping.signal])));
    } catch (error) {
      logger.error({ err: SecureGateError.from(error) }, 'what is over was not removed yet');
    }
  }

  async #removeAll(stop: AbortSignal): Promise<void> {
    const { db, commandDays, countDays, now } = this.#options;
    const at = now();
    await sweepSightings(db, at, stop);
    await sweepCounts(db, at - countDays * DAY_MS, stop);
    for (const sweep of [sweepCommands, sweepReceipts, sweepEnrolmentTokens]) await sweep(db, at - commandDays * DAY_MS, stop);
  }
}
