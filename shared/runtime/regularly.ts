/** Does one thing at once, and again a while after each time: one that takes long has no others pile up behind it. */
export class Regularly {
  readonly #pauseMs: number;
  readonly #work: () => Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #last: Promise<void> = Promise.resolve();

  /** @param work does not reject */
  constructor(pauseMs: number, work: () => Promise<void>) {
    this.#pauseMs = pauseMs;
    this.#work = work;
  }

  start(): void {
    this.#last = this.#go();
  }

  /** Resolves when what has begun is done. */
  async done(): Promise<void> {
    await this.#last;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.done();
  }

  async #go(): Promise<void> {
    await this.#work();
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#last = this.#go();
    }, this.#pauseMs);
  }
}
