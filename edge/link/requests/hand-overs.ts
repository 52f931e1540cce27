import type { ErrorCode } from '../../../shared/errors/codes.ts';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Hello } from '../../../shared/fleet/hello.ts';
import type { SignedRecovery } from '../../../shared/lease/recovery.ts';
import { parseRecovery } from '../../../shared/lease/verify-recovery.ts';
import type { Logger } from '../../../shared/log/create-logger.ts';
import type { BackOff } from '../../../shared/runtime/back-off.ts';
import { newestRecovery } from '../enrolment/newest-recovery.ts';
import type { LinkPart } from '../link-part.ts';
import { Telling } from '../telling.ts';
import type { Requests } from './requests.ts';

/** The HSM has the key, or will never take it from this box. */
const SETTLED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'conflict',
  'approval_used',
  'hand_over_rejected',
  'tenant_destroyed',
  'epoch_replaced',
  'tek_rejected',
]);

export interface HandOversOptions {
  readonly requests: Pick<Requests, 'ask'>;
  /** Those that the box has followed. */
  readonly recoveries: () => readonly SignedRecovery[];
  /** The tenants' keys that this box holds. */
  readonly keys: () => Promise<Hello['keys']>;
  /** A tenant's key for the HSM to which a recovery leads. @throws {SecureGateError} why it is not handed over */
  readonly handOver: (tenant: string, recovery: SignedRecovery) => Promise<string>;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly backOff: BackOff;
  readonly logger: Logger;
}

/** After the loss of an HSM, hands the keys of tenants over to the next one, where the box has followed a recovery that names them. */
export class HandOvers extends Telling implements LinkPart {
  readonly #options: HandOversOptions;
  readonly #settled = new Set<string>();

  constructor(options: HandOversOptions) {
    super(options);
    this.#options = options;
  }

  /** After a recovery was followed, too: the link opens anew by what it says. */
  readonly onConnect = (): void => this.wake();

  protected async tell(): Promise<boolean> {
    const { recoveries, keys, now } = this.#options;
    const followed = recoveries();
    // An earlier HSM is not there any more.
    const present = newestRecovery(followed)?.transport.key;
    let isDone = true;
    for (const signed of followed) {
      const { id, exp, tenants, transport } = parseRecovery(signed.payload);
      if (exp * 1000 <= now() || transport.key !== present) continue;
      for (const { tenant, epoch } of await keys()) {
        const isNamed = tenants.some((one) => one.tenant === tenant && one.epoch === epoch);
        if (isNamed && !(await this.#settle(id, tenant, signed))) isDone = false;
      }
    }
    return isDone;
  }

  /** @returns whether nothing is left to do for this tenant */
  async #settle(id: string, tenant: string, signed: SignedRecovery): Promise<boolean> {
    const { requests, handOver, logger } = this.#options;
    const name = `${id}/${tenant}`;
    if (this.#settled.has(name)) return true;
    try {
      await requests.ask({ kind: 'lease-hand-over', token: await handOver(tenant, signed) }, 'taken-over');
      logger.warn({ tenant, recovery: id }, 'the key of a tenant is handed over to another HSM, as the recovery keys of the org want it');
    } catch (error) {
      const { code } = SecureGateError.from(error);
      if (!SETTLED.has(code)) {
        logger.debug({ err: error, tenant, recovery: id }, 'the key of a tenant was not handed over; it is tried again');
        return false;
      }
      if (code !== 'conflict') logger.warn({ err: error, tenant, recovery: id }, 'the key of a tenant is not taken over');
    }
    this.#settled.add(name);
    return true;
  }
}
