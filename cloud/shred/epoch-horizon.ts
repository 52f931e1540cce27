import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import { Regularly } from '../../shared/runtime/regularly.ts';
import type { KmsClient } from '../kms/client.ts';
import type { JobLeases } from '../store/job-leases.ts';
import type { Erasures } from './erasures.ts';

const LOOK_EVERY_MS = 600_000;

export interface EpochHorizonOptions {
  readonly erasures: Pick<Erasures, 'endLost'>;
  readonly kms: Pick<KmsClient, 'call'>;
  readonly leases: JobLeases;
  readonly logger: Logger;
}

/**
 * Has the keys of epochs destroyed that no box is waited for any more: the last one has left, was denied, or has not come until its deadline.
 * Which these are, the KMS decides, and it writes down what it destroyed. Begun and not finished, a destruction is among them again. What was to
 * be erased on boxes that have lost their keys with that, or with their last lease after it, ends here as well.
 */
export class EpochHorizon {
  readonly #options: EpochHorizonOptions;
  readonly #stopping = new AbortController();
  readonly #looks = new Regularly(LOOK_EVERY_MS, () => this.look());

  constructor(options: EpochHorizonOptions) {
    this.#options = options;
  }

  start(): void {
    this.#looks.start();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#looks.stop();
  }

  /** One process of all at a time. */
  async look(): Promise<void> {
    const { erasures, leases, logger } = this.#options;
    try {
      await leases.run('epoch-horizon', async (lost) => {
        const stop = AbortSignal.any([lost, this.#stopping.signal]);
        await this.#destroyLeft(stop);
        await erasures.endLost(stop);
      });
    } catch (error) {
      logger.error({ err: SecureGateError.from(error) }, 'epochs and erasures that no box is waited for could not be looked for');
    }
  }

  async #destroyLeft(stop: AbortSignal): Promise<void> {
    const { kms, logger } = this.#options;
    for (const cell of await kms.call('listLeft', {})) {
      if (stop.aborted) return;
      try {
        const { state, from } = await kms.call('destroyEpoch', cell);
        logger.info({ ...cell, state, from }, 'the key of an epoch was destroyed that no box is waited for');
      } catch (error) {
        logger.error({ ...cell, err: SecureGateError.from(error) }, 'the key of an epoch was not destroyed; it is tried again');
      }
    }
  }
}
