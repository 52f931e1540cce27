import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Admit } from '../auth/admit.ts';

const BEAT_MS = 15_000;

/** An answer that goes on until somebody ends it. */
export interface OpenStream extends Readable {
  /** Sends something that means nothing, so that both sides see that the other one is there. */
  beat(): void;
}

export interface StreamLimits {
  readonly most: number;
  /** Of one key, or of the admin: nobody alone takes the streams of all others. */
  readonly mostEach: number;
}

/** Answers that go on until somebody ends them: they are counted, and end with their reader's right and with the server. */
export class OpenStreams {
  readonly #limits: StreamLimits;
  readonly #admit: Admit;
  readonly #open = new Map<OpenStream, FastifyRequest>();

  constructor(limits: StreamLimits, admit: Admit) {
    this.#limits = limits;
    this.#admit = admit;
  }

  /** @throws {SecureGateError} `overloaded` when too many are open */
  add<Stream extends OpenStream>(request: FastifyRequest, make: () => Stream): Stream {
    const { most, mostEach } = this.#limits;
    const own = this.#open.values().filter(({ principal }) => principal?.id === request.principal?.id);
    if (this.#open.size >= most || own.toArray().length >= mostEach) {
      throw new SecureGateError('overloaded', 'Too many streams are open', { details: { most, mostEach } });
    }
    const stream = make();
    this.#open.set(stream, request);
    // Keys and sessions end by themselves, too.
    const beat = setInterval(async () => {
      if (await this.#check(stream, request)) stream.beat();
    }, BEAT_MS);
    stream.once('close', () => {
      clearInterval(beat);
      this.#open.delete(stream);
    });
    return stream;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Ends the streams of whoever has lost his right: to be called when a key or a session was ended. */
  async checkAll(): Promise<void> {
    await Promise.all(Array.from(this.#open, ([stream, request]) => this.#check(stream, request)));
  }

  closeAll(): void {
    for (const stream of this.#open.keys()) stream.destroy();
  }

  async #check(stream: OpenStream, request: FastifyRequest): Promise<boolean> {
    try {
      await this.#admit(request);
      return true;
    } catch {
      stream.destroy();
      return false;
    }
  }
}
