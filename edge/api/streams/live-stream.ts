import { Readable } from 'node:stream';

/** One message, and the next one if that is taken: whoever is slower sees fewer pictures, not older ones. */
const AHEAD_BYTES = 1;
/** Announces a header of no bytes, and is all of its message. */
const BEAT: readonly Buffer[] = [Buffer.alloc(4)];

/**
 * Messages of several cameras for one reader. Of each camera the newest one waits for him, and cameras take turns; a reader
 * who takes nothing from one beat to the next although something waits is cut.
 */
export class LiveStream extends Readable {
  readonly #subscribe: (offer: (camera: string, message: readonly Buffer[]) => void) => () => void;
  /** In the order in which they are sent: a newer message takes the place of its camera's older one. */
  readonly #waiting = new Map<string, readonly Buffer[]>();
  #end: (() => void) | undefined;
  #wanted = true;
  #took = true;

  /** @param subscribe gets what offers a message, in parts; it returns how to end */
  constructor(subscribe: (offer: (camera: string, message: readonly Buffer[]) => void) => () => void) {
    super({ highWaterMark: AHEAD_BYTES });
    this.#subscribe = subscribe;
  }

  beat(): void {
    if (!this.#took && this.#waiting.size > 0) {
      this.destroy();
      return;
    }
    this.#took = false;
    this.#offer('', BEAT);
  }

  override _construct(done: (error?: Error) => void): void {
    this.#end = this.#subscribe((camera, message) => this.#offer(camera, message));
    done();
  }

  override _read(): void {
    this.#wanted = true;
    this.#took = true;
    this.#send();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#end?.();
    this.#waiting.clear();
    done(error);
  }

  #offer(camera: string, message: readonly Buffer[]): void {
    if (this.destroyed) return;
    this.#waiting.set(camera, message);
    this.#send();
  }

  #send(): void {
    const [next] = this.#waiting;
    if (!this.#wanted || next === undefined) return;
    const [camera, message] = next;
    this.#waiting.delete(camera);
    this.#wanted = false;
    for (const part of message) this.push(part);
  }
}
