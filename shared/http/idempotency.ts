import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { SecureGateError } from '../errors/securegate-error.ts';

/** What a request made, or is about to make. */
export interface IdempotencyResult {
  /** Keyed hash of the request's content. */
  readonly content: Buffer;
  /** Id of what was or is to be made; nothing else of it. */
  readonly result: string;
  /** Whether it is known to be made. */
  readonly settled: boolean;
}

/** Where it is written down, for a day. `request` is a hash of who asked for what under which key. */
export interface IdempotencyResults {
  find(request: Buffer): IdempotencyResult | undefined | Promise<IdempotencyResult | undefined>;
  /** Says under which id the request makes something; on the disk when it is done. */
  reserve(request: Buffer, result: Omit<IdempotencyResult, 'settled'>): void | Promise<void>;
  /**
   * Somebody repeats the request: from here on the key stays with what was reserved, whatever becomes of the first one.
   * @throws {SecureGateError} `conflict`: the key was released, or the thing is made, meanwhile
   */
  repeat(request: Buffer, result: string): void | Promise<void>;
  /** It is made. */
  settle(request: Buffer): void | Promise<void>;
  /** Nothing was made by this request: the key is free again, unless it was repeated. */
  release(request: Buffer): void | Promise<void>;
}

/** Something that a request makes under an id which is chosen before. */
export interface Making<Made> {
  readonly make: (id: string) => Promise<unknown>;
  /** Reads it back. @throws {SecureGateError} with status 404 when it is not there */
  readonly read: (id: string) => Made | Promise<Made>;
}

/** Lets a request that is repeated under its `Idempotency-Key` make nothing twice. */
export class Idempotency {
  readonly #results: IdempotencyResults;
  readonly #who: (request: FastifyRequest) => string | undefined;
  readonly #running = new Set<string>();

  /** @param who asks: the id of whoever a key belongs to */
  constructor(results: IdempotencyResults, who: (request: FastifyRequest) => string | undefined) {
    this.#results = results;
    this.#who = who;
  }

  /**
   * Makes something unless the same principal has made the same with this key within a day. Its id is on the disk before it is
   * made: whatever the first request came to (the box lost power, a vault ended before it answered), its repetition
   * finds what is there under this id or makes it under this id.
   * The key is bound to principal, route and body. Only the id is kept, and of the body a hash that is keyed with the
   * Idempotency-Key, which itself is kept nowhere: nobody can try names against it.
   * @param fresh id for what is made now
   * @throws {SecureGateError} `idempotency_mismatch`, `conflict` (the first request is still being worked on), those of `make` and `read`
   */
  async once<Made>(request: FastifyRequest, fresh: string, { make, read }: Making<Made>): Promise<Made> {
    const key = request.headers['idempotency-key'];
    if (typeof key !== 'string') {
      await make(fresh);
      return read(fresh);
    }
    const target = createHash('sha256')
      .update(JSON.stringify([this.#who(request), request.method, request.url, key]))
      .digest();
    const content = createHmac('sha256', key).update(bytesOf(request.body)).digest();
    const earlier = await this.#results.find(target);
    if (earlier !== undefined && !timingSafeEqual(earlier.content, content)) {
      throw new SecureGateError('idempotency_mismatch', 'This key came with another request before');
    }
    if (earlier?.settled) return read(earlier.result);
    const name = target.toString('base64');
    if (this.#running.has(name)) throw new SecureGateError('conflict', 'The first request with this key is still being worked on');
    this.#running.add(name);
    try {
      const id = earlier?.result ?? fresh;
      if (earlier === undefined) await this.#makeFirst(target, content, id, make);
      else await this.#makeAgain(target, id, { make, read });
      await this.#results.settle(target);
      return await read(id);
    } finally {
      this.#running.delete(name);
    }
  }

  async #makeFirst(target: Buffer, content: Buffer, id: string, make: Making<unknown>['make']): Promise<void> {
    await this.#results.reserve(target, { content, result: id });
    try {
      await make(id);
    } catch (error) {
      // What is refused is not made. After every other failure it may be there, and the id stays reserved.
      if (SecureGateError.from(error).status < 500) await this.#results.release(target);
      throw error;
    }
  }

  /** Another process may be about the first. */
  async #makeAgain<Made>(target: Buffer, id: string, { make, read }: Making<Made>): Promise<void> {
    await this.#results.repeat(target, id);
    if (!(await isThere(id, read))) await make(id);
  }
}

async function isThere(id: string, read: Making<unknown>['read']): Promise<boolean> {
  try {
    await read(id);
    return true;
  } catch (error) {
    if (SecureGateError.from(error).status === 404) return false;
    throw error;
  }
}

function bytesOf(body: unknown): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
}
