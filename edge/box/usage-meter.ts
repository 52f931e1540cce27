import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import type { Part } from '../runtime/lifecycle.ts';

const REPORT_EVERY_MS = 5000;

export type UsageCounter = 'frames' | 'sightings' | 'sightings_lost' | 'faces_searched';

/**
 * Counts what each tenant uses, and tells the vaults every few seconds: a message for each frame would cost more than it
 * says. What a vault does not take is kept and told again.
 */
export class UsageMeter implements Part {
  readonly name = 'usage';
  readonly #tell: (tenant: string, counter: UsageCounter, by: number) => Promise<void>;
  readonly #logger: Logger;
  readonly #counts = new Map<string, Map<UsageCounter, number>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(tell: (tenant: string, counter: UsageCounter, by: number) => Promise<void>, logger: Logger) {
    this.#tell = tell;
    this.#logger = logger;
  }

  async start(): Promise<void> {
    this.#timer = setInterval(() => void this.flush(), REPORT_EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }

  count(tenant: string, counter: UsageCounter, by: number): void {
    const counts = this.#counts.get(tenant) ?? new Map<UsageCounter, number>();
    this.#counts.set(tenant, counts);
    counts.set(counter, (counts.get(counter) ?? 0) + by);
  }

  /** Tells the vaults what was counted since the last time. */
  async flush(): Promise<void> {
    const counted = [...this.#counts].flatMap(([tenant, counts]) => [...counts].map(([counter, by]) => ({ tenant, counter, by })));
    this.#counts.clear();
    await Promise.all(
      counted.map(async ({ tenant, counter, by }) => {
        try {
          await this.#tell(tenant, counter, by);
        } catch (error) {
          // A tenant that is gone uses nothing more, and has nowhere to write it down.
          if (error instanceof SecureGateError && error.code === 'tenant_shredded') return;
          this.#logger.warn({ err: error, tenant }, 'usage not stored yet');
          this.count(tenant, counter, by);
        }
      }),
    );
  }
}
