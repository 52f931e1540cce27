import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';

/** How often each reader is asked for his right again: keys and sessions end by themselves, too. */
const CHECK_MS = 15_000;

export interface StreamLimits {
  readonly most: number;
  /** Of one key, or of the admin: nobody alone takes the streams of all others. */
  readonly mostEach: number;
}

/** Answers that go on until somebody ends them: they are counted, and end with the server or with their reader's right. */
export class OpenStreams {
  readonly #limits: StreamLimits;
  readonly #authenticate: (request: FastifyRequest) => Promise<unknown>;
  readonly #open = new Map<Readable, FastifyRequest>();

  /** @param authenticate rejects when the request's credentials are no longer good */
  constructor(limits: StreamLimits, authenticate: (request: FastifyRequest) => Promise<unknown>) {
    this.#limits = limits;
    this.#authenticate = authenticate;
  }

  /** @throws {SecureGateError} `overloaded` when too many are open */
  add<Stream extends Readable>(request: FastifyRequest, make: () => Stream): Stream {
    const { most, mostEach } = this.#limits;
    const own = this.#open.values().filter(({ principal }) => principal?.id === request.principal?.id);
    if (this.#open.size >= most || own.toArray().length >= mostEach) {
      throw new SecureGateError('overloaded', 'Too many streams are open', { details: { most, mostEach } });
    }
    const stream = make();
    this.#open.set(stream, request);
    const timer = setInterval(() => void this.#check(stream, request), CHECK_MS);
    stream.once('close', () => {
      clearInterval(timer);
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

  async #check(stream: Readable, request: FastifyRequest): Promise<void> {
    try {
      await this.#authenticate(request);
    } catch {
      stream.destroy();
    }
  }
}
