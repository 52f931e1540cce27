import { Retry, type RetryOptions } from './retry.ts';

/** Something that the control plane is told again and again, until it has answered. */
export abstract class Telling {
  readonly #retry: Retry;

  constructor({ backOff, logger }: Omit<RetryOptions, 'work'>) {
    this.#retry = new Retry({ work: () => this.tell(), backOff, logger });
  }

  start(): void {
    this.#retry.start();
  }

  async stop(): Promise<void> {
    await this.#retry.stop();
  }

  /** There is something new to tell, or somebody who hears it. */
  wake(): void {
    this.#retry.wake();
  }

  /** @returns whether there is nothing left to tell */
  protected abstract tell(): Promise<boolean>;
}
