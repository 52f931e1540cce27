import type { FastifyRequest } from 'fastify';
import { SecureGateError } from '../errors/securegate-error.ts';
import { networkOf } from './network-of.ts';

const MINUTE_MS = 60_000;
/** Strangers can come from any number of networks. */
const MOST_KEYS = 5000;

/** Counts a request. @throws {SecureGateError} `rate_limited` */
export type Limit = (request: FastifyRequest) => void;

/**
 * Makes limits of requests a minute, each with a count of its own for every key. A minute begins with the first request of its key.
 * @param monotonic time, milliseconds
 */
export function requestsAMinute(monotonic: () => number): (most: number, keyOf: (request: FastifyRequest) => string) => Limit {
  return (most, keyOf) => limitOf(most, keyOf, monotonic);
}

/** Whom a request is counted with while nobody knows who asks. */
export function networkOfRequest({ ip }: FastifyRequest): string {
  return networkOf(ip);
}

function limitOf(most: number, keyOf: (request: FastifyRequest) => string, monotonic: () => number): Limit {
  // All last as long: those that end first come first.
  const minutes = new Map<string, { count: number; readonly endsAt: number }>();
  const minuteOf = (key: string, now: number) => {
    const known = minutes.get(key);
    if (known !== undefined && now < known.endsAt) return known;
    const begun = { count: 0, endsAt: now + MINUTE_MS };
    minutes.delete(key);
    minutes.set(key, begun);
    const [oldest] = minutes.size > MOST_KEYS ? minutes.keys() : [];
    if (oldest !== undefined) minutes.delete(oldest);
    return begun;
  };
  return (request) => {
    const now = monotonic();
    const minute = minuteOf(keyOf(request), now);
    minute.count++;
    if (minute.count <= most) return;
    const retryAfterS = Math.ceil((minute.endsAt - now) / 1000);
    throw new SecureGateError('rate_limited', 'Too many requests', { details: { perMinute: most, retryAfterS } });
  };
}
