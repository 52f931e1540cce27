import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import { Regularly } from '../../shared/runtime/regularly.ts';
import type { JobLeases } from '../store/job-leases.ts';
import type { Tenants } from './tenants.ts';

const LOOK_EVERY_MS = 30_000;

export interface TenantUpkeepOptions {
  readonly tenants: Pick<Tenants, 'finish'>;
  readonly leases: JobLeases;
  readonly logger: Logger;
}

/** Looks for tenants whose key was not made because the KMS was away, or because of a crash; one process of all at a time. */
export class TenantUpkeep {
  readonly #options: TenantUpkeepOptions;
  readonly #looks = new Regularly(LOOK_EVERY_MS, () => this.#look());

  constructor(options: TenantUpkeepOptions) {
    this.#options = options;
  }

  start(): void {
    this.#looks.start();
  }

  async stop(): Promise<void> {
    await this.#looks.stop();
  }

  async #look(): Promise<void> {
    const { tenants, leases, logger } = this.#options;
    try {
      const left = (await leases.run('finish-tenants', (lost) => tenants.finish(lost))) ?? 0;
      if (left > 0) logger.warn({ tenants: left }, 'tenants wait for their key');
    } catch (error) {
      logger.error({ err: SecureGateError.from(error) }, 'tenants without a key could not be looked for');
    }
  }
}
