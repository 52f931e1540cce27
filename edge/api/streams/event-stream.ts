import { Readable } from 'node:stream';

/** Text that waits for a slow reader; beyond it he is cut off and may come back. */
const MOST_WAITING_BYTES = 256 * 1024;

/**
 * Server-sent events (WHATWG HTML, 9.2) for one reader. `subscribe` gets what sends an event; it returns how to end.
 * A reader who does not keep up is cut: neither memory nor the sender waits for him.
 */
export class EventStream extends Readable {
  readonly #subscribe: (send: (event: string, data: unknown) => void) => () => void;
  #end: (() => void) | undefined;

  constructor(subscribe: (send: (event: string, data: unknown) => void) => () => void) {
    super({ highWaterMark: MOST_WAITING_BYTES });
    this.#subscribe = subscribe;
  }

  /** A comment that shows both sides that the other one is there. */
  beat(): void {
    this.#write(':\n\n');
  }

  override _construct(done: (error?: Error) => void): void {
    this.beat();
    this.#end = this.#subscribe((event, data) => this.#write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
    done();
  }

  override _read(): void {
    // Events come when they come.
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#end?.();
    done(error);
  }

  #write(text: string): void {
    if (this.destroyed) return;
    if (!this.push(text)) this.destroy();
  }
}
