import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { ACK_TYPE, type AckClaims, type AckState, type Removed } from '../../../shared/fleet/ack.ts';
import type { CommandClaims } from '../../../shared/fleet/command.ts';
import type { PublicKey } from '../../../shared/lease/public-key.ts';
import type { Logger } from '../../../shared/log/create-logger.ts';
import type { BackOff } from '../../../shared/runtime/back-off.ts';
import { Telling } from '../telling.ts';
import type { Uplink } from '../uplink.ts';
import type { CommandJournal } from './command-journal.ts';

/** Signs a JWT (RFC 7519, ES256) by the key of the certificate of the box. */
export type SignToken = (type: string, claims: object) => Promise<string>;

export interface AcksOptions {
  readonly journal: CommandJournal;
  readonly uplink: Uplink;
  readonly sign: SignToken;
  /** That by which it signs. */
  readonly key: PublicKey;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly backOff: BackOff;
  readonly logger: Logger;
}

/** What became of a command. */
export interface Outcome {
  readonly state: AckState;
  /** Code of an error. */
  readonly reason?: string | undefined;
  /** Where the order was to remove something. */
  readonly removed?: Removed | undefined;
}

/**
 * The box's words on commands: signed once, and told until the control plane has written them down. Those that were signed by a key which
 * the box has no more, because it left and enrolled anew, count for nobody: they are signed again, as they were.
 */
export class Acks extends Telling {
  readonly #options: AcksOptions;

  constructor(options: AcksOptions) {
    super(options);
    this.#options = options;
  }

  /** @param token the command as it came */
  async sign({ sub, jti, pair }: CommandClaims, token: string, { state, reason, removed }: Outcome): Promise<string> {
    const { sign, now } = this.#options;
    const claims: AckClaims = {
      aud: 'securegate-cloud',
      sub,
      iat: Math.floor(now() / 1000),
      command: jti,
      digest: createHash('sha256').update(token).digest('base64url'),
      ...(pair === undefined ? {} : { pair }),
      state,
      ...(reason === undefined ? {} : { reason }),
      ...(removed === undefined ? {} : { removed }),
    };
    return await sign(ACK_TYPE, claims);
  }

  /** Says a word once; one that is lost is asked for again. */
  async say(ack: string): Promise<void> {
    try {
      await this.#publish(ack);
    } catch (error) {
      this.#options.logger.debug({ err: error }, 'a word on a command did not get through');
    }
  }

  /** The control plane has written down a word. */
  kept(digest: string, receipt: string): void {
    this.#options.journal.kept(digest, receipt);
  }

  /** The control plane has forgotten words that it had written down. */
  tellAgain(): void {
    this.#options.journal.tellAgain();
    this.wake();
  }

  protected async tell(): Promise<boolean> {
    const untold = this.#options.journal.untold();
    for (const ack of untold) await this.#publish(ack);
    return untold.length === 0;
  }

  async #publish(ack: string): Promise<void> {
    await this.#options.uplink.publish('acks', Buffer.from(await this.#signedNow(ack)));
  }

  async #signedNow(ack: string): Promise<string> {
    const { key, journal, sign } = this.#options;
    if (isDeepStrictEqual(decodeProtectedHeader(ack).jwk, key)) return ack;
    const anew = await sign(ACK_TYPE, decodeJwt(ack));
    journal.signedAnew(ack, anew);
    return anew;
  }
}
