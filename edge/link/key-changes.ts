import { calculateJwkThumbprint, decodeProtectedHeader } from 'jose';
import type { Request } from '../../shared/fleet/request.ts';
import { newUlid } from '../../shared/ids/ulid.ts';
import type { PublicKey } from '../../shared/lease/public-key.ts';
import type { ToldRecoveries } from '../../shared/lease/recovery.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import type { BackOff } from '../../shared/runtime/back-off.ts';
import type { LinkPart } from './link-part.ts';
import { Retry } from './retry.ts';
import type { Uplink } from './uplink.ts';

export interface KeyChangesOptions {
  readonly uplink: Uplink;
  /** By which the control plane signs commands now. */
  readonly commandKeys: () => readonly PublicKey[];
  /** Has the box count on the keys to which these words lead. @throws {SecureGateError} `key_change_rejected` */
  readonly learn: (keyChanges: readonly string[]) => Promise<void>;
  /** Id of the newest recovery that the box has followed. */
  readonly recovery: () => string | undefined;
  /** Has the box believe the HSM to which the recovery keys of its org lead. @throws {SecureGateError} `recovery_rejected` */
  readonly recover: (lost: ToldRecoveries) => Promise<void>;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly backOff: BackOff;
  readonly logger: Logger;
}

/**
 * Asks whether the keys have changed by which the control plane signs commands and leases: on each connect, every few minutes, and when something comes that
 * another key has signed, which comes again. (How the key of the log has changed is told with its heads.)
 */
export class KeyChanges implements LinkPart {
  readonly #options: KeyChangesOptions;
  readonly #retry: Retry;
  /** Of the request that was not answered yet. */
  #asked: string | undefined;
  #isAnswered = false;

  constructor(options: KeyChangesOptions) {
    this.#options = options;
    this.#retry = new Retry({ ...options, work: () => this.#ask() });
  }

  start(): void {
    this.#retry.start();
  }

  async stop(): Promise<void> {
    await this.#retry.stop();
    this.#asked = undefined;
  }

  readonly onConnect = (): void => {
    this.#isAnswered = false;
    this.#retry.wake();
  };

  readonly onCommand = async (payload: Buffer): Promise<void> => {
    if (!(await this.#counts(payload))) this.onConnect();
  };

  readonly onDesired = this.onCommand;

  readonly onReply: NonNullable<LinkPart['onReply']> = {
    'key-changes': ({ id, changes, lost }) => {
      if (id !== this.#asked) return;
      this.#asked = undefined;
      this.#isAnswered = true;
      const { learn, recover, logger } = this.#options;
      (lost === undefined ? learn(changes) : recover(lost).then(() => learn(changes))).catch((err: unknown) =>
        logger.error({ err }, 'the keys of the control plane have changed in a way that is not believed'),
      );
    },
  };

  /** @returns whether there is nothing to ask until the next look */
  async #ask(): Promise<boolean> {
    const rests = this.#isAnswered;
    this.#isAnswered = false;
    if (rests) return true;
    const { uplink, recovery, now } = this.#options;
    const id = newUlid(now());
    this.#asked = id;
    const request: Request = { kind: 'key-changes', id, recovery: recovery() };
    await uplink.publish('requests', Buffer.from(JSON.stringify(request)));
    return false;
  }

  /** Whether the key that counts has signed it, as it says. */
  async #counts(token: Buffer): Promise<boolean> {
    const [key] = this.#options.commandKeys();
    try {
      return key !== undefined && decodeProtectedHeader(token.toString('latin1')).kid === (await calculateJwkThumbprint(key));
    } catch {
      // It is no word at all.
      return true;
    }
  }
}
