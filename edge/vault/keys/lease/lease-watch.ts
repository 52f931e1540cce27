import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';
import type { Logger } from '../../../../shared/log/create-logger.ts';
import type { LeaseView } from '../../protocol.ts';
import type { TrustedTime } from './trusted-time.ts';

/** Timers stand still while the machine is suspended, trusted time does not: it is looked at this often at least. */
const MOST_MS = 60_000;

export interface LeaseWatchOptions {
  readonly leases: { readonly lease: Pick<LeaseView, 'leftMs'> | undefined };
  readonly time: Pick<TrustedTime, 'persist'>;
  readonly logger: Logger;
  /** Called once, when the lease is over. */
  readonly onEnd: () => void;
}

/** Sees the end of a lease by trusted time, and writes down how far that has come. */
export class LeaseWatch {
  readonly #options: LeaseWatchOptions;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LeaseWatchOptions) {
    this.#options = options;
  }

  /** To be called when a lease has come, too: it may end sooner than the last one would have. */
  look(): void {
    clearTimeout(this.#timer);
    const { leases, onEnd } = this.#options;
    const { leftMs = MOST_MS } = leases.lease ?? {};
    if (leftMs <= 0) {
      onEnd();
      return;
    }
    void this.#persist();
    this.#timer = setTimeout(() => this.look(), Math.min(leftMs, MOST_MS));
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#persist();
  }

  async #persist(): Promise<void> {
    try {
      await this.#options.time.persist();
    } catch (error) {
      this.#options.logger.error({ err: SecureGateError.from(error) }, 'how far time has come was not written down');
    }
  }
}
