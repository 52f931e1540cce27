import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Logger } from '../../../shared/log/create-logger.ts';
import { Regularly } from '../../../shared/runtime/regularly.ts';
import type { Authorities } from './authorities.ts';
import type { OwnCredentials, OwnIdentity } from './own-identity.ts';

const LOOK_EVERY_MS = 5000;

/** An identity, and those who show it: each is given what it shows from now on. */
export interface ShownIdentity {
  readonly identity: OwnIdentity;
  readonly by: readonly { show(credentials: OwnCredentials): void }[];
}

export interface IdentityUpkeepOptions {
  readonly authorities: Authorities;
  readonly identities: readonly ShownIdentity[];
  readonly logger: Logger;
}

/** Exchanges in time what will end: the authority of boxes, and the control plane's own certificates. A KMS that is away is waited for. */
export class IdentityUpkeep {
  readonly #options: IdentityUpkeepOptions;
  readonly #looks = new Regularly(LOOK_EVERY_MS, () => this.#look());
  /** What keeps it from a new certificate, told once. */
  #told: string | undefined;

  constructor(options: IdentityUpkeepOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#looks.start();
    await this.#looks.done();
  }

  async stop(): Promise<void> {
    await this.#looks.stop();
  }

  async #look(): Promise<void> {
    const { authorities, identities, logger } = this.#options;
    try {
      await authorities.keep();
      for (const { identity, by } of identities) {
        const credentials = await identity.renewed();
        if (credentials !== undefined) for (const one of by) one.show(credentials);
      }
      this.#told = undefined;
    } catch (error) {
      const failure = SecureGateError.from(error);
      if (this.#told !== failure.code) logger.warn({ err: failure }, 'the control plane has no new certificate yet');
      this.#told = failure.code;
    }
  }
}
