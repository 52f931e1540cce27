import pkcs11 from 'pkcs11js';
import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';
import { asHsmError, remedyFor } from './as-hsm-error.ts';
import { openToken, type Token, type TokenOptions } from './open-token.ts';
import { Session } from './session.ts';

export interface SessionPoolOptions extends TokenOptions {
  /** Reads the PIN anew at every login, so that it need not be kept; the pool wipes what it got. */
  readonly pin: () => Buffer;
  readonly userType: number;
  /** Sessions at most. */
  readonly size: number;
}

/**
 * Sessions with one token, logged in. A session in which something failed is closed and never used again: with it go the
 * keys that were left in it and operations that were begun. When the token, the sessions or the login are lost, everything
 * is set up anew and the work is done once more.
 */
export class SessionPool {
  readonly #options: SessionPoolOptions;
  #token: Token | undefined;
  /** Keeps the login, which ends with the last session. */
  #anchor: pkcs11.Handle | undefined;
  #idle: Session[] = [];
  #working = 0;
  #waiting: (() => void)[] = [];
  #wantAlone = 0;
  /** Somebody works alone. */
  #occupied = false;
  /** Counts the set-ups, so that many who lost the same one do not each make a new one. */
  #generation = 0;
  #reconnecting: Promise<void> | undefined;

  constructor(options: SessionPoolOptions) {
    this.#options = options;
  }

  /** The opened token. @throws {SecureGateError} `hsm_unavailable` when it is not open */
  get token(): Token {
    if (!this.#token) throw new SecureGateError('hsm_unavailable', 'There is no connection to the HSM');
    return this.#token;
  }

  /** @throws {SecureGateError} `hsm_unavailable`, `secret_file_unsafe` */
  start(): void {
    const token = openToken(this.#options);
    try {
      this.#anchor = token.module.C_OpenSession(token.slot, RW_SESSION);
      this.#logIn(token.module, this.#anchor);
      this.#token = token;
      this.#generation += 1;
    } catch (error) {
      token.close();
      throw asHsmError(error);
    }
  }

  /** Waits for the work that was begun. */
  async stop(): Promise<void> {
    await this.#settled();
    this.#close();
  }

  /**
   * Does a piece of work with a session. It can be done twice when the first try met a lost session, so what it makes on
   * the token it must first look for.
   * @throws {SecureGateError} `hsm_unavailable`, `hsm_refused`, and what `work` throws
   */
  async use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return await this.#twice(work, false);
  }

  /**
   * As {@link use}, while nobody else works. For what makes or destroys objects of the token: SoftHSM fails now and then
   * when others look for objects at that moment.
   */
  async useAlone<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return await this.#twice(work, true);
  }

  async #twice<T>(work: (session: Session) => Promise<T>, alone: boolean): Promise<T> {
    try {
      return await this.#once(work, alone);
    } catch (error) {
      if (remedyFor(error) === undefined) throw asHsmError(error);
    }
    try {
      return await this.#once(work, alone);
    } catch (error) {
      throw asHsmError(error);
    }
  }

  async #once<T>(work: (session: Session) => Promise<T>, alone: boolean): Promise<T> {
    await this.#enter(alone);
    const generation = this.#generation;
    let failure: unknown;
    let session: Session | undefined;
    try {
      session = this.#idle.pop() ?? this.#open();
      return await work(session);
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      if (session !== undefined) this.#giveBack(session, failure !== undefined);
      this.#working -= 1;
      this.#occupied = false;
      for (const wake of this.#waiting.splice(0)) wake();
      if (remedyFor(failure) === 'reconnect') await this.#reconnect(generation);
    }
  }

  #open(): Session {
    // A set-up that failed is tried again by whoever comes next.
    if (!this.#token) this.start();
    const { module, slot } = this.token;
    return new Session(module, module.C_OpenSession(slot, RW_SESSION));
  }

  #giveBack(session: Session, failed: boolean): void {
    if (!failed) {
      this.#idle.push(session);
      return;
    }
    try {
      session.module.C_CloseSession(session.handle);
    } catch {
      // It is gone already, which is what is wanted.
    }
  }

  async #enter(alone: boolean): Promise<void> {
    if (alone) this.#wantAlone += 1;
    try {
      for (;;) {
        // Who wants to be alone goes first: it would wait for ever where there is always somebody.
        const most = alone ? 1 : this.#occupied || this.#wantAlone > 0 ? 0 : this.#options.size;
        if (this.#reconnecting !== undefined) await this.#reconnecting;
        else if (this.#working >= most) await new Promise<void>((resolve) => this.#waiting.push(resolve));
        else break;
      }
      this.#working += 1;
      this.#occupied = alone;
    } finally {
      if (alone) this.#wantAlone -= 1;
    }
  }

  /** A library must not be finalised while calls are under way in it. */
  async #settled(): Promise<void> {
    while (this.#working > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #reconnect(generation: number): Promise<void> {
    if (generation !== this.#generation) return this.#reconnecting ?? Promise.resolve();
    this.#reconnecting ??= this.#settled()
      .then(() => {
        this.#close();
        this.start();
      })
      // Whoever does work next meets the same trouble and is told then.
      .catch(() => undefined)
      .finally(() => {
        this.#reconnecting = undefined;
      });
    return this.#reconnecting;
  }

  #close(): void {
    this.#idle = [];
    const token = this.#token;
    this.#token = undefined;
    this.#anchor = undefined;
    try {
      token?.close();
    } catch {
      // What is lost cannot be closed.
    }
  }

  /** The library takes the PIN as text only, which cannot be wiped. */
  #logIn(module: pkcs11.PKCS11, session: pkcs11.Handle): void {
    const pin = this.#options.pin();
    try {
      module.C_Login(session, this.#options.userType, pin.toString('utf8'));
    } catch (cause) {
      throw new SecureGateError('hsm_unavailable', 'The HSM refuses the login', {
        cause,
        details: { answer: cause instanceof Error ? cause.message : 'unknown' },
      });
    } finally {
      pin.fill(0);
    }
  }
}

const RW_SESSION = pkcs11.CKF_SERIAL_SESSION | pkcs11.CKF_RW_SESSION;
