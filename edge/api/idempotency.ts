import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Appliance } from '../appliance/open-appliance.ts';

/** Lets a request that is repeated under its `Idempotency-Key` make nothing twice. */
export class Idempotency {
  readonly #results: Appliance['idempotency'];
  readonly #running = new Set<string>();

  constructor(results: Appliance['idempotency']) {
    this.#results = results;
  }

  /**
   * Calls `make` unless the same principal has made the same thing with this key within a day.
   * The key is bound to principal, route and body. Only the id of what was made is kept, and of the body a hash that is
   * keyed with the Idempotency-Key, which itself is kept nowhere: nobody can try names against it.
   * @param make makes the thing; @returns its id
   * @throws {SecureGateError} `idempotency_mismatch`, `conflict` (the first request is still being worked on), what `make` throws
   */
  async once(request: FastifyRequest, make: () => Promise<string>): Promise<{ id: string; repeated: boolean }> {
    const key = request.headers['idempotency-key'];
    if (typeof key !== 'string') return { id: await make(), repeated: false };
    const target = createHash('sha256')
      .update(JSON.stringify([request.principal?.id, request.method, request.url, key]))
      .digest();
    const content = createHmac('sha256', key).update(bytesOf(request.body)).digest();
    const earlier = this.#results.find(target);
    if (earlier !== undefined) {
      if (timingSafeEqual(earlier.content, content)) return { id: earlier.result, repeated: true };
      throw new SecureGateError('idempotency_mismatch', 'This key came with another request before');
    }
    const name = target.toString('base64');
    if (this.#running.has(name)) throw new SecureGateError('conflict', 'The first request with this key is still being worked on');
    this.#running.add(name);
    try {
      const id = await make();
      this.#results.keep(target, { content, result: id });
      return { id, repeated: false };
    } finally {
      this.#running.delete(name);
    }
  }
}

function bytesOf(body: unknown): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
}
