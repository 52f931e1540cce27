import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import type { Sighting } from '../../shared/messages/events.ts';
import type { WebhookMessage } from '../../shared/messages/webhook-message.ts';
import type { BackOff } from '../../shared/runtime/back-off.ts';
import type { Clock } from '../runtime/clock.ts';
import { LatestQueue } from '../runtime/latest-queue.ts';
import { pause } from '../runtime/pause.ts';
import { deliver } from './deliver.ts';
import type { Resolve } from './public-lookup.ts';
import { sign } from './sign.ts';

/** Messages that may wait for one receiver, while it is away for a while. */
const MOST_WAITING = 1000;
/** About four minutes with the pauses between. */
const MOST_ATTEMPTS = 8;
/** Longest pause between two attempts; it holds also for a message that waited over a restart, whatever the clock says since. */
export const LONGEST_PAUSE_MS = 300_000;

/** Attempts that failed, and when it is time for the next one (milliseconds since the Unix epoch). */
export interface Tried {
  readonly attempts: number;
  readonly nextAt: number;
}

export interface Message {
  /** Stays the same for every attempt, so that a receiver can drop what it has already. */
  readonly id: string;
  readonly sighting: Sighting;
  /** What came of it so far; missing until the first attempt has failed. */
  readonly tried?: Tried | undefined;
}

export interface CourierOptions {
  readonly url: string;
  /** Belongs to whoever made the courier, and must stay readable until it is stopped. */
  readonly secret: Buffer;
  readonly allowPrivate: boolean;
  readonly backOff: BackOff;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Takes a message that is given up. `reason`: HTTP status, error code of the system, or one of ours. */
  readonly onGivenUp: (message: Message, attempts: number, reason: string) => void;
  readonly resolve?: Resolve | undefined;
  readonly longestMs?: number | undefined;
}

/** Brings messages to one receiver, one after the other, at its own pace: whoever hands one over never waits. */
export class Courier {
  readonly #options: CourierOptions;
  readonly #queue: LatestQueue<Message>;
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;
  #underWay: Message | undefined;

  constructor(options: CourierOptions) {
    this.#options = options;
    this.#queue = new LatestQueue(MOST_WAITING, (message) =>
      options.onGivenUp(message, 0, this.#abort.signal.aborted ? 'stopped' : 'overloaded'),
    );
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Messages that have neither arrived nor been given up, oldest first. */
  get waiting(): readonly Message[] {
    return this.#underWay === undefined ? this.#queue.items : [this.#underWay, ...this.#queue.items];
  }

  /** Never blocks; when too many wait the oldest is given up. */
  offer(message: Message): void {
    this.#queue.push(message);
  }

  /** Breaks off what is under way; what waits is given up. */
  async stop(): Promise<void> {
    this.#abort.abort();
    this.#queue.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let message = await this.#queue.next(); message !== undefined; message = await this.#queue.next()) {
      await this.#bring(message);
      this.#underWay = undefined;
    }
  }

  async #bring(message: Message): Promise<void> {
    const { backOff, clock, onGivenUp, logger } = this.#options;
    const { signal } = this.#abort;
    let reason = 'stopped';
    let { attempts, nextAt } = message.tried ?? { attempts: 0, nextAt: 0 };
    backOff.reset(Math.max(0, attempts - 1));
    this.#underWay = message;
    while (!signal.aborted && attempts < MOST_ATTEMPTS) {
      if (attempts > 0) await pause(Math.min(nextAt - clock.now(), LONGEST_PAUSE_MS), signal);
      if (signal.aborted) break;
      const failure = await this.#attempt(message);
      if (failure === undefined) return;
      attempts += 1;
      reason = failure;
      // Another attempt would only meet the same rule.
      if (reason === 'webhook_target_refused') break;
      nextAt = clock.now() + backOff.next();
      this.#underWay = { ...message, tried: { attempts, nextAt } };
    }
    logger.warn({ delivery: message.id, attempts, reason }, 'webhook message given up');
    onGivenUp(message, attempts, reason);
  }

  /** @returns what went wrong; undefined when the receiver has taken the message */
  async #attempt({ id, sighting }: Message): Promise<string | undefined> {
    const { url, secret, allowPrivate, clock, resolve, longestMs } = this.#options;
    const body = Buffer.from(JSON.stringify({ id, event: 'sighting', sighting } satisfies WebhookMessage), 'utf8');
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'SecureGate',
      'securegate-delivery': id,
      'securegate-signature': sign(secret, Math.floor(clock.now() / 1000), body),
    };
    try {
      const status = await deliver({ url, headers, body, allowPrivate, signal: this.#abort.signal, resolve, longestMs });
      return status >= 200 && status < 300 ? undefined : String(status);
    } catch (error) {
      return reasonOf(error);
    }
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof SecureGateError) return error.code;
  if (!(error instanceof Error)) return 'failed';
  if (error.name === 'TimeoutError' || (error.cause instanceof Error && error.cause.name === 'TimeoutError')) return 'timeout';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
