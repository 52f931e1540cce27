export interface Step {
  readonly name: string;
  readonly ms: number;
  readonly ok: boolean;
}

/** What the drill has done so far, and how long each took. */
export class Steps {
  readonly done: Step[] = [];
  readonly #say: (line: string) => void;
  readonly #signal: AbortSignal;

  constructor(say: (line: string) => void, signal: AbortSignal) {
    this.#say = say;
    this.#signal = signal;
  }

  /** @throws what the work throws: after it, nothing can be relied on */
  async take<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    this.#signal.throwIfAborted();
    this.#say(name);
    const began = performance.now();
    let ok = false;
    try {
      const result = await work();
      ok = true;
      return result;
    } finally {
      this.done.push({ name, ms: Math.round(performance.now() - began), ok });
    }
  }
}
