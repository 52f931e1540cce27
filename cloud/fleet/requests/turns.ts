import { SecureGateError } from '../../../shared/errors/securegate-error.ts';

export interface TurnsOptions {
  /** Work that is done at a time. */
  readonly atOnce: number;
  /** What waits at most, of what is near its end and of everything else. */
  readonly mostWaiting: number;
  /** After how many seconds it is asked for again where too much waits. */
  readonly retryAfter: number;
}

/** Gives turns to work of which there can be far more than is done at a time. What is near its end goes first: the rest can be asked for again. */
export class Turns {
  readonly #options: TurnsOptions;
  readonly #last: (() => void)[] = [];
  readonly #others: (() => void)[] = [];
  #underWay = 0;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** @throws {SecureGateError} `overloaded`, and what the work throws */
  async run<T>(isLast: boolean, work: () => Promise<T>): Promise<T> {
    const { atOnce, mostWaiting, retryAfter } = this.#options;
    if (this.#underWay < atOnce) this.#underWay += 1;
    else {
      const waiting = isLast ? this.#last : this.#others;
      if (waiting.length >= mostWaiting) throw new SecureGateError('overloaded', 'Too many ask at once', { details: { retryAfter } });
      // Whoever is done hands on his turn.
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
    try {
      return await work();
    } finally {
      const next = this.#last.shift() ?? this.#others.shift();
      if (next) next();
      else this.#underWay -= 1;
    }
  }
}
