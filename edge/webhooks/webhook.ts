import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import type { Sighting } from '../../shared/messages/events.ts';
import { BackOff } from '../../shared/runtime/back-off.ts';
import type { DeadLetter, WebhookView } from '../api/ports.ts';
import type { Clock } from '../runtime/clock.ts';
import { Courier, LONGEST_PAUSE_MS, type Message } from './courier.ts';
import { type BuriedMessage, buried, entryOf, letterOf, messagesOf } from './delivery-entries.ts';
import type { DeliveryLog } from './delivery-log.ts';

const MOST_DEAD_LETTERS = 100;
const FIRST_PAUSE_MS = 1000;

/** Where its messages go, and whether they do. */
export interface Target {
  readonly url: string;
  readonly active: boolean;
}

export interface WebhookOptions {
  readonly id: string;
  /** The key of the signature is its text as it was shown. */
  readonly secret: string;
  readonly log: DeliveryLog;
  readonly allowPrivateTargets: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** One webhook at work: what waits for its receiver, and what was given up. */
export class Webhook {
  readonly id: string;
  readonly #options: Omit<WebhookOptions, 'secret'>;
  readonly #secret: Buffer;
  #target: Target;
  #version: number;
  #courier: Courier | undefined;
  /** Oldest first. */
  #dead: BuriedMessage[];

  constructor({ secret, ...options }: WebhookOptions, target: Target, version: number) {
    this.id = options.id;
    this.#options = options;
    this.#secret = Buffer.alloc(Buffer.byteLength(secret));
    this.#secret.write(secret);
    this.#target = target;
    this.#version = version;
    this.#dead = options.log.entries.flatMap(letterOf);
  }

  get view(): WebhookView {
    return { id: this.id, ...this.#target, version: this.#version };
  }

  /** As it is stored. */
  get secret(): string {
    return this.#secret.toString('latin1');
  }

  /** The last first. */
  get letters(): readonly DeadLetter[] {
    return this.#dead.toReversed().map(({ endedAt: _where, ...letter }) => letter);
  }

  /** @param sightings those to which what waits refers */
  start(sightings: ReadonlyMap<string, Sighting> = new Map()): void {
    this.#launch();
    for (const message of messagesOf(this.#options.log.waiting, sightings)) this.offer(message);
  }

  offer(message: Message): void {
    this.#courier?.offer(message);
  }

  async change(target: Target, version: number): Promise<void> {
    const earlier = this.#courier;
    this.#target = target;
    this.#version = version;
    this.#launch();
    await earlier?.stop();
  }

  /**
   * Begins anew with what was given up.
   * @returns how many messages these are
   * @throws {SecureGateError} `conflict` (it is not active)
   */
  async redeliver(find: (letters: readonly BuriedMessage[]) => Promise<ReadonlyMap<string, Sighting>>): Promise<number> {
    const courier = this.#courier;
    const letters = this.#dead;
    if (courier === undefined) throw new SecureGateError('conflict', 'This webhook is not active');
    const messages = messagesOf(letters, await find(letters));
    // What was given up meanwhile stays for the next time.
    this.#dead = this.#dead.filter((letter) => !letters.includes(letter));
    for (const message of messages) courier.offer(message);
    return messages.length;
  }

  /** Writes down what has not arrived. */
  async save(): Promise<void> {
    await this.#options.log.save([...(this.#courier?.waiting ?? []).map(entryOf), ...this.#dead.map(buried)]);
  }

  async stop(): Promise<void> {
    await this.#courier?.stop();
    this.#secret.fill(0);
  }

  /** Nothing of it is kept. */
  async remove(): Promise<void> {
    await this.stop();
    await this.#options.log.save([]);
  }

  #launch(): void {
    const { allowPrivateTargets, clock, logger } = this.#options;
    const { url, active } = this.#target;
    this.#courier = active
      ? new Courier({
          url,
          secret: this.#secret,
          allowPrivate: allowPrivateTargets,
          backOff: new BackOff(FIRST_PAUSE_MS, LONGEST_PAUSE_MS),
          clock,
          logger,
          onGivenUp: (message, attempts, reason) => this.#bury(message, attempts, reason),
        })
      : undefined;
    this.#courier?.start();
  }

  #bury({ id, sighting }: Message, attempts: number, reason: string): void {
    const { id: sightingId, phase, endedAt } = sighting;
    const givenUpAt = new Date(this.#options.clock.now()).toISOString();
    this.#dead = [...this.#dead, { id, sightingId, phase, endedAt, givenUpAt, attempts, reason }].slice(-MOST_DEAD_LETTERS);
  }
}
