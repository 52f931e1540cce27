import { SecureGateError } from '../../../shared/errors/securegate-error.ts';

/** How long a turn takes, until it was seen. */
const FIRST_TURN_MS = 50;
/** Share of the newest turn in what one takes on average. */
const WEIGHT = 0.05;
/** For longer nobody is sent away: turns that took long while all came at once are short soon after. */
const LONGEST_MS = 120_000;

export interface TurnsOptions {
  /** Work that is done at a time. */
  readonly atOnce: number;
  /** What waits at most, of what is near its end and of everything else. */
  readonly mostWaiting: number;
  /** For how long it waits at most. */
  readonly patienceMs: number;
  /** Turns that each who comes needs, one after the other. */
  readonly each: number;
  /** Milliseconds. */
  readonly monotonic: () => number;
}

/**
 * Gives turns to work of which there can be far more than is done at a time. What is near its end goes first. Whoever finds too many before
 * him is told when to come again: each at a time of his own, as fast as turns are given, since all who came back together would keep
 * each other from ever being served.
 */
export class Turns {
  readonly #options: TurnsOptions;
  readonly #last: (() => void)[] = [];
  readonly #others: (() => void)[] = [];
  #underWay = 0;
  #turnMs = FIRST_TURN_MS;
  /** Until when all would be served who were sent away. */
  #promisedUntil = 0;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** @throws {SecureGateError} `overloaded`, and what the work throws */
  async run<T>(isLast: boolean, work: () => Promise<T>): Promise<T> {
    await this.#turn(isLast);
    const { monotonic } = this.#options;
    const begunAt = monotonic();
    try {
      return await work();
    } finally {
      this.#turnMs += (monotonic() - begunAt - this.#turnMs) * WEIGHT;
      this.#handOn();
    }
  }

  #handOn(): void {
    const next = this.#last.shift() ?? this.#others.shift();
    if (next) next();
    else this.#underWay -= 1;
  }

  async #turn(isLast: boolean): Promise<void> {
    const { atOnce, mostWaiting, patienceMs, monotonic } = this.#options;
    if (this.#underWay < atOnce) {
      this.#underWay += 1;
      return;
    }
    const waiting = isLast ? this.#last : this.#others;
    if (waiting.length >= mostWaiting) throw this.#refusal(waiting.length);
    const cameAt = monotonic();
    // Whoever is done hands on his turn.
    await new Promise<void>((resolve) => waiting.push(resolve));
    if (monotonic() - cameAt <= patienceMs) return;
    this.#handOn();
    throw this.#refusal(waiting.length);
  }

  #refusal(before: number): SecureGateError {
    const { atOnce, each, monotonic } = this.#options;
    const now = monotonic();
    const servedMs = (each * this.#turnMs) / atOnce;
    this.#promisedUntil = Math.min(Math.max(this.#promisedUntil, now + before * servedMs) + servedMs, now + LONGEST_MS);
    const retryAfter = Math.ceil((this.#promisedUntil - now) / 1000);
    return new SecureGateError('overloaded', 'Too many ask at once', { details: { retryAfter } });
  }
}
