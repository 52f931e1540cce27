import { pause } from '../../runtime/pause.ts';

const NEVER = new AbortController().signal;

/** Lets whoever asks go on, one after the other in the order in which they asked, and no more often than so. */
export class Turns {
  readonly #everyMs: number;
  readonly #monotonic: () => number;
  #next = 0;

  constructor(everyMs: number, monotonic: () => number) {
    this.#everyMs = everyMs;
    this.#monotonic = monotonic;
  }

  async take(): Promise<void> {
    const now = this.#monotonic();
    const at = Math.max(now, this.#next);
    this.#next = at + this.#everyMs;
    if (at > now) await pause(at - now, NEVER);
  }
}
