import { createLocalJWKSet, errors, type FlattenedJWSInput, type JWSHeaderParameters, type JWTVerifyGetKey } from 'jose';
import { SecureGateError } from '../errors/securegate-error.ts';
import type { Logger } from '../log/create-logger.ts';
import { fetchKeys } from './fetch-keys.ts';
import type { IssuerConfig } from './issuer-config.ts';
import { type FetchedKeys, KeyFile } from './key-file.ts';
import type { TrustedIssuer } from './token-verifier.ts';

const FETCH_EVERY_MS = 600_000;
/** Between two fetches, whatever tokens come: strangers can name any number of keys. */
const PAUSE_MS = 30_000;
const PATIENCE_MS = 5000;
const DAY_MS = 86_400_000;
/** A clock that was set right afterwards. */
const SKEW_MS = 300_000;

export interface IssuerKeysOptions {
  readonly config: IssuerConfig;
  /** Where the keys are kept for when the issuer is away. */
  readonly file: string;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly logger: Logger;
}

/**
 * The keys of an issuer elsewhere. They are fetched now and then, and when a token names one that is not among them; a token whose
 * key is known waits for nobody. While the issuer is away the last ones count, for a bounded time, also after a restart.
 */
export class IssuerKeys {
  readonly name = 'issuer';
  readonly #options: IssuerKeysOptions;
  readonly #file: KeyFile;
  #known: (FetchedKeys & { readonly find: ReturnType<typeof createLocalJWKSet> }) | undefined;
  #triedAt: number | undefined;
  #fetching: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #stopping = new AbortController();

  constructor(options: IssuerKeysOptions) {
    this.#options = options;
    this.#file = new KeyFile(options.file, options.config);
  }

  /** Begins to fetch; the start waits for no issuer. */
  async start(): Promise<void> {
    const { logger, config } = this.#options;
    try {
      const kept = this.#file.read();
      if (kept !== undefined) this.#take(kept);
    } catch (error) {
      logger.warn({ err: error, issuer: config.issuer }, 'the kept keys of the issuer are not used');
    }
    void this.#fetch();
    this.#timer = setInterval(() => void this.#fetch(), FETCH_EVERY_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopping.abort();
    await this.#fetching;
  }

  get trusted(): TrustedIssuer {
    return { issuer: this.#options.config.issuer, keys: this.#find };
  }

  readonly #find: JWTVerifyGetKey = async (header: JWSHeaderParameters, token: FlattenedJWSInput) => {
    if (this.#usable === undefined) await this.#fetchAgain();
    try {
      return await this.#required(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await this.#fetchAgain();
      return await this.#required(header, token);
    }
  };

  async #required(header: JWSHeaderParameters, token: FlattenedJWSInput) {
    const known = this.#usable;
    if (known === undefined) throw new SecureGateError('issuer_unavailable', 'The keys of the issuer are not known, or too old');
    return await known.find(header, token);
  }

  /** Undefined where the last ones are too old, or of the future: then the clock is wrong and nobody knows how old they are. */
  get #usable() {
    const { now, config } = this.#options;
    const age = this.#known === undefined ? Number.POSITIVE_INFINITY : now() - this.#known.fetchedAt;
    return age >= -SKEW_MS && age <= Math.max(config.keysDays * DAY_MS, FETCH_EVERY_MS) ? this.#known : undefined;
  }

  async #fetchAgain(): Promise<void> {
    const since = this.#options.now() - (this.#triedAt ?? 0);
    // Whoever comes while one is on its way waits for it.
    if (this.#fetching === undefined && since >= 0 && since < PAUSE_MS) return;
    await this.#fetch();
  }

  #fetch(): Promise<void> {
    this.#fetching ??= this.#fetchNow().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #fetchNow(): Promise<void> {
    const { config, now, logger } = this.#options;
    const { issuer, keysUrl } = config;
    this.#triedAt = now();
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(PATIENCE_MS)]);
    try {
      const fetched = { fetchedAt: now(), keys: await fetchKeys(keysUrl, signal) };
      this.#take(fetched);
      this.#file.write(fetched);
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      logger.warn({ err: SecureGateError.from(error), issuer }, 'the keys of the issuer were not fetched, or could not be kept');
    }
  }

  #take(fetched: FetchedKeys): void {
    this.#known = { ...fetched, find: createLocalJWKSet(fetched.keys) };
  }
}
