import { followLog, type LogUpdate } from '../../../shared/audit/follow-log.ts';
import { COSIGNATURE_TYPE, type Cosignature, LOG_REFUSAL_TYPE, LOG_REFUSALS, type LogRefusal } from '../../../shared/audit/log-tokens.ts';
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
import type { LogMemory } from './log-memory.ts';

export interface WitnessOptions {
  readonly device: string;
  readonly uplink: Uplink;
  /** By which the control plane signs heads of its log; they came with the enrolment. */
  readonly auditKeys: () => readonly PublicKey[];
  readonly memory: LogMemory;
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

  constructor(options: WitnessOptions) {
    this.#options = options;
    this.#retry = new Retry({ ...options, work: () => this.#ask() });
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
    const { auditKeys, memory, now } = this.#options;
    const rests = this.#isAnswered || auditKeys().length === 0;
    this.#isAnswered = false;
    if (rests) return true;
    const id = newUlid(now());
    this.#asked = id;
    await this.#say({ kind: 'log-head', id, head: memory.kept() ?? null });
    return false;
  }

  async #look(update: LogUpdate): Promise<void> {
    const { auditKeys, memory, device, sign, now, logger } = this.#options;
    const kept = memory.kept();
    try {
      const { head, forks } = await followLog(kept, update, auditKeys());
      const at = new Date(now()).toISOString();
      if (kept !== undefined && forks.length > 0 && memory.accuse({ at, reason: 'log_fork_declared', kept, offered: update })) {
        logger.error({ forks }, 'the control plane says that it lost the end of its log, and has begun it anew');
      }
      // Kept before it is signed: of two heads that do not go together, this box never signs both.
      memory.keep(update.head);
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
