import type { ToldRecoveries } from '../../shared/lease/recovery.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import type { BackOff } from '../../shared/runtime/back-off.ts';
import type { LinkPart } from './link-part.ts';
import { Retry } from './retry.ts';

export interface RecoverySearchOptions {
  /** Whether the control plane is out of reach. */
  readonly isCutOff: () => boolean;
  /** Asks whoever answers in its place. */
  readonly ask: () => Promise<ToldRecoveries>;
  readonly recover: (lost: ToldRecoveries) => Promise<void>;
  readonly backOff: BackOff;
  readonly logger: Logger;
}

/** While the control plane is out of reach, looks whether that is because its HSM is lost, and with it the authority that this box believes. */
export class RecoverySearch implements LinkPart {
  readonly #options: RecoverySearchOptions;
  readonly #retry: Retry;

  constructor(options: RecoverySearchOptions) {
    this.#options = options;
    this.#retry = new Retry({ ...options, work: () => this.#look() });
  }

  start(): void {
    this.#retry.start();
  }

  async stop(): Promise<void> {
    await this.#retry.stop();
  }

  /** @returns never that nothing is left to do: nobody says when the link is lost, so that it looks at that again and again */
  async #look(): Promise<boolean> {
    const { isCutOff, ask, recover, backOff } = this.#options;
    if (!isCutOff()) {
      backOff.reset();
      return false;
    }
    const lost = await ask();
    if (lost.recoveries.length > 0) await recover(lost);
    return false;
  }
}
