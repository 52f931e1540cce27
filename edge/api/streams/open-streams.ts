import type { Readable } from 'node:stream';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';

/** Answers that go on until somebody ends them: they are counted, and end with the server. */
export class OpenStreams {
  readonly #most: number;
  readonly #open = new Set<Readable>();

  constructor(most: number) {
    this.#most = most;
  }

  /** @throws {SecureGateError} `overloaded` when too many are open */
  add<Stream extends Readable>(make: () => Stream): Stream {
    if (this.#open.size >= this.#most)
      throw new SecureGateError('overloaded', 'Too many streams are open', { details: { most: this.#most } });
    const stream = make();
    this.#open.add(stream);
    stream.once('close', () => this.#open.delete(stream));
    return stream;
  }

  get size(): number {
    return this.#open.size;
  }

  closeAll(): void {
    for (const stream of this.#open) stream.destroy();
  }
}
