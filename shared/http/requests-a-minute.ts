import rateLimit from '@fastify/rate-limit';
import type { FastifyRequest } from 'fastify';
import { SecureGateError } from '../errors/securegate-error.ts';
import type { HttpApi } from './http-api.ts';
import { networkOf } from './network-of.ts';

const MINUTE_MS = 60_000;

/** Counts a request. @throws {SecureGateError} `rate_limited` */
export type Limit = (request: FastifyRequest) => Promise<void>;

/** @returns what makes limits of requests a minute, each with a count of its own for every key */
export async function requestsAMinute(api: HttpApi): Promise<(most: number, keyOf: (request: FastifyRequest) => string) => Limit> {
  await api.register(rateLimit, { global: false });
  return (most, keyOf) => {
    const count = api.createRateLimit({ max: most, timeWindow: MINUTE_MS, keyGenerator: keyOf });
    return async (request) => {
      const found = await count(request);
      if (!found.isAllowed && found.isExceeded) {
        throw new SecureGateError('rate_limited', 'Too many requests', { details: { perMinute: most, retryAfterS: found.ttlInSeconds } });
      }
    };
  };
}

/** Whom a request is counted with while nobody knows who asks. */
export function networkOfRequest({ ip }: FastifyRequest): string {
  return networkOf(ip);
}
