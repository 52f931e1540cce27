/** Does one thing at once and then again and again; one time waits for the end of the one before. */
export class Regularly {
  readonly #everyMs: number;
  readonly #work: () => Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #last: Promise<void> = Promise.resolve();

  /** @param work does not reject */
  constructor(everyMs: number, work: () => Promise<void>) {
    this.#everyMs = everyMs;
    this.#work = work;
  }

  start(): void {
    this.#timer = setInterval(() => this.#go(), this.#everyMs);
    this.#go();
  }

  /** Resolves when what has begun is done. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#last;
  }

  #go(): void {
    this.#last = this.#last.then(this.#work);
  }
}
