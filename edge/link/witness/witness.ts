import { followLog, type LogUpdate } from '../../../shared/audit/follow-log.ts';
import {
  COSIGNATURE_TYPE,
  type Cosignature,
  LOG_REFUSAL_TYPE,
  LOG_REFUSALS,
  type LogHead,
  type LogRefusal,
  readHead,
} from '../../../shared/audit/log-tokens.ts';
import type { ErrorCode } from '../../../shared/errors/codes.ts';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Request } from '../../../shared/fleet/request.ts';
import { newUlid } from '../../../shared/ids/ulid.ts';
import type { PublicKey } from '../../../shared/lease/public-key.ts';
import type { Logger } from '../../../shared/log/create-logger.ts';
import type { BackOff } from '../../../shared/runtime/back-off.ts';
import { SerialWork } from '../../../shared/runtime/serial-work.ts';
import type { SignToken } from '../commands/acks.ts';
import type { LinkPart } from '../link-part.ts';
import { Retry } from '../retry.ts';
import type { Uplink } from '../uplink.ts';
import type { LogAnchor } from './log-anchor.ts';
import type { LogMemory } from './log-memory.ts';

export interface WitnessOptions {
  readonly device: string;
  readonly uplink: Uplink;
  /** By which the control plane signs heads of its log, the one that counts first; they came with the enrolment. */
  readonly auditKeys: () => readonly PublicKey[];
  /** Has the box count on the keys to which these words have led, before anything is believed that they signed. */
  readonly learn: (keyChanges: readonly string[]) => Promise<void>;
  readonly memory: LogMemory;
  /** Undefined on a box without a TPM: who puts back its disk puts back what it has signed. */
  readonly anchor?: LogAnchor | undefined;
  readonly sign: SignToken;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly backOff: BackOff;
  readonly logger: Logger;
}

/**
 * Watches the log of the control plane: signs a head only where the log goes on from the last one that this box has signed. What does not is
 * kept as evidence and said aloud; the box goes on with its work.
 */
export class Witness implements LinkPart {
  readonly #options: WitnessOptions;
  readonly #retry: Retry;
  readonly #work = new SerialWork();
  /** Of the request that was not answered yet. */
  #asked: string | undefined;
  #isAnswered = false;
  #trouble: ErrorCode | undefined;

  constructor(options: WitnessOptions) {
    this.#options = options;
    this.#retry = new Retry({ ...options, work: () => this.#ask() });
  }

  /** Code of why the TPM could not be asked the last time: until it can be, nothing is signed. */
  get trouble(): ErrorCode | undefined {
    return this.#trouble;
  }

  start(): void {
    this.#retry.start();
  }

  async stop(): Promise<void> {
    await this.#retry.stop();
    this.#asked = undefined;
    await this.#work.idle();
  }

  /** Asks how the log has gone on. */
  readonly onConnect = (): void => {
    this.#isAnswered = false;
    this.#retry.wake();
  };

  readonly onReply: NonNullable<LinkPart['onReply']> = {
    'log-head': ({ id, update }) => {
      if (id !== this.#asked) return;
      this.#asked = undefined;
      this.#isAnswered = true;
      void this.#work
        .run(() => this.#look(update))
        .catch((err: unknown) => this.#options.logger.error({ err }, 'the head of the log could not be kept'));
    },
  };

  /** @returns whether there is nothing to ask until the next look */
  async #ask(): Promise<boolean> {
    const { auditKeys, now } = this.#options;
    const rests = this.#isAnswered || auditKeys().length === 0;
    this.#isAnswered = false;
    if (rests) return true;
    const id = newUlid(now());
    this.#asked = id;
    const { head = null } = await this.#work.run(() => this.#kept());
    await this.#say({ kind: 'log-head', id, head });
    return false;
  }

  /** The head that was signed last: that of the disk, unless the TPM holds a later one. */
  async #kept(): Promise<{ readonly head: string | undefined; readonly anchored: boolean }> {
    const { memory, logger } = this.#options;
    const head = memory.kept();
    const held = await this.#held();
    if (held === undefined) {
      if (this.#options.anchor && memory.wasAnchored() && this.#accuse('log_anchor_lost', '', head)) {
        logger.error('the TPM does not hold the head of the log any more that was in it');
      }
      return { head, anchored: false };
    }
    if (head !== undefined && !isBefore(readHead(head), readHead(held))) return { head, anchored: true };
    if (this.#accuse('log_memory_rolled_back', held, head)) {
      logger.error({ held: readHead(held) }, 'an older state of the disk was put back: this box has signed a later head of the log');
    }
    memory.keep(held, true);
    return { head: held, anchored: true };
  }

  async #held(): Promise<string | undefined> {
    try {
      const held = await this.#options.anchor?.held();
      this.#trouble = undefined;
      return held;
    } catch (error) {
      this.#trouble = SecureGateError.from(error).code;
      throw error;
    }
  }

  /** @returns whether it is new */
  #accuse(reason: ErrorCode, held: string, kept: string | undefined): boolean {
    const { memory, now } = this.#options;
    return memory.accuse({ at: new Date(now()).toISOString(), reason, kept: held, offered: { head: kept ?? '' } });
  }

  async #look(update: LogUpdate): Promise<void> {
    const { auditKeys, learn, memory, anchor, device, sign, now, logger } = this.#options;
    const { head: kept, anchored } = await this.#kept();
    try {
      const { head, forks, keyChanges } = await followLog(kept, update, auditKeys());
      await learn(keyChanges);
      const at = new Date(now()).toISOString();
      if (kept !== undefined && forks.length > 0 && memory.accuse({ at, reason: 'log_fork_declared', kept, offered: update })) {
        logger.error({ forks }, 'the control plane says that it lost the end of its log, and has begun it anew');
      }
      // Kept before it is signed: of two heads that do not go together, this box never signs both.
      // And on the disk before it is in the TPM: of what the power leaves, the disk is never the older one.
      memory.keep(update.head, anchored);
      await anchor?.hold(update.head);
      const claims: Cosignature = { aud: 'securegate-cloud', sub: device, ...head };
      await this.#say({ kind: 'log-cosigned', id: newUlid(now()), token: await sign(COSIGNATURE_TYPE, claims) });
    } catch (error) {
      await this.#refuse(SecureGateError.from(error), kept, update);
    }
  }

  async #refuse(error: SecureGateError, kept: string | undefined, update: LogUpdate): Promise<void> {
    const { memory, device, sign, now, logger } = this.#options;
    const reason = LOG_REFUSALS.find((code) => code === error.code);
    if (reason === undefined) return logger.warn({ err: error }, 'the log of the control plane could not be checked; it is tried again');
    const isNew = memory.accuse({ at: new Date(now()).toISOString(), reason, kept: kept ?? '', offered: update });
    if (!isNew) return;
    logger.error({ err: error }, 'the control plane does not tell the log that it told before: both heads are kept as evidence');
    const claims: LogRefusal = {
      ...{ aud: 'securegate-cloud', sub: device, iat: Math.floor(now() / 1000) },
      ...{ reason, kept: kept ?? '', offered: update.head },
    };
    await this.#say({ kind: 'log-refused', id: newUlid(now()), token: await sign(LOG_REFUSAL_TYPE, claims) });
  }

  async #say(request: Request): Promise<void> {
    await this.#options.uplink.publish('requests', Buffer.from(JSON.stringify(request)));
  }
}

/** Of two heads that were signed one after the other; within one log, a head at the same time can only be larger. */
function isBefore(one: LogHead, other: LogHead): boolean {
  return one.at === other.at ? one.size < other.size : one.at < other.at;
}
