/** Does one thing after the other, in the order in which they were asked for; a failure concerns only who asked. */
export class SerialWork {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** Resolves when everything that was asked for so far is done, well or not. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
