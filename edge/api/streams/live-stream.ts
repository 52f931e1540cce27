import { Readable } from 'node:stream';

/** One picture, and the next one if that is taken: whoever is slower sees fewer pictures, not older ones. */
const PICTURES_AHEAD_BYTES = 1;

/** Binary messages for one reader, who misses those that come while he is behind. */
export class LiveStream extends Readable {
  readonly #subscribe: (send: (message: Buffer) => void) => () => void;
  #end: (() => void) | undefined;
  #wanted = true;

  constructor(subscribe: (send: (message: Buffer) => void) => () => void) {
    super({ highWaterMark: PICTURES_AHEAD_BYTES });
    this.#subscribe = subscribe;
  }

  /** Whether a message would be sent now rather than missed. */
  get wanted(): boolean {
    return this.#wanted && !this.destroyed;
  }

  override _construct(done: (error?: Error) => void): void {
    this.#end = this.#subscribe((message) => {
      if (this.wanted) this.#wanted = this.push(message);
    });
    done();
  }

  override _read(): void {
    this.#wanted = true;
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#end?.();
    done(error);
  }
}
