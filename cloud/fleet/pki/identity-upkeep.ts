import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Logger } from '../../../shared/log/create-logger.ts';
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
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #looking: Promise<void> = Promise.resolve();
  /** What keeps it from a new certificate, told once. */
  #told: string | undefined;

  constructor(options: IdentityUpkeepOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    await this.#look();
    this.#lookOn();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#looking;
  }

  /** One look after the other: a KMS that hangs does not make them pile up. */
  #lookOn(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#looking = this.#look().then(() => this.#lookOn());
    }, LOOK_EVERY_MS);
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
