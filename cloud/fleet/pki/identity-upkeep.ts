import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Logger } from '../../../shared/log/create-logger.ts';
import type { Authorities } from './authorities.ts';
import type { ServerCredentials, ServerIdentity } from './server-identity.ts';

const LOOK_EVERY_MS = 5000;

export interface IdentityUpkeepOptions {
  readonly authorities: Authorities;
  readonly identity: ServerIdentity;
  /** The servers that show it: each is given what it shows from now on. */
  readonly servers: readonly ((credentials: ServerCredentials) => void)[];
  readonly logger: Logger;
}

/** Exchanges in time what will end: the authority of boxes, and the certificate of the servers that they talk to. A KMS that is away is waited for. */
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
    const { authorities, identity, servers, logger } = this.#options;
    try {
      await authorities.keep();
      const credentials = await identity.renewed();
      if (credentials !== undefined) for (const show of servers) show(credentials);
      this.#told = undefined;
    } catch (error) {
      const failure = SecureGateError.from(error);
      if (this.#told !== failure.code) logger.warn({ err: failure }, 'the servers for boxes have no new certificate yet');
      this.#told = failure.code;
    }
  }
}
