import rateLimit from '@fastify/rate-limit';
import type { FastifyRequest } from 'fastify';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Api } from '../api.ts';
import type { LimitWrong } from '../auth/authenticator.ts';
import { networkOf } from '../network-of.ts';

const MINUTE_MS = 60_000;

/** Requests a minute. */
export interface RateLimits {
  /** Of one address (IPv6: of one network), whoever asks. */
  readonly perAddress: number;
  /** Of one key, or of the admin. */
  readonly perPrincipal: number;
  /** Pictures that one key lets be looked at: each takes inference time from the cameras. */
  readonly pictures: number;
  /** Wrong tokens and login links of one address, as above. */
  readonly logIns: number;
}

/** Counts requests and refuses too many. @returns the limit of wrong attempts to log in */
export async function addRateLimits(api: Api, limits: RateLimits): Promise<LimitWrong> {
  await api.register(rateLimit, { global: false });
  const limit = (max: number, keyGenerator: (request: FastifyRequest) => string): LimitWrong => {
    const count = api.createRateLimit({ max, timeWindow: MINUTE_MS, keyGenerator });
    return async (request) => {
      const found = await count(request);
      if (!found.isAllowed && found.isExceeded) {
        throw new SecureGateError('rate_limited', 'Too many requests', { details: { perMinute: max, retryAfterS: found.ttlInSeconds } });
      }
    };
  };
  const perAddress = limit(limits.perAddress, networkOfRequest);
  const perPrincipal = limit(limits.perPrincipal, principalOf);
  const pictures = limit(limits.pictures, principalOf);
  api.addHook('onRequest', (request) => perAddress(request));
  // Comes after authentication, before the body is read.
  api.addHook('preParsing', async (request, _reply, payload) => {
    if (request.principal !== undefined) await perPrincipal(request);
    if (request.routeOptions.config.takesPicture) await pictures(request);
    return payload;
  });
  return limit(limits.logIns, networkOfRequest);
}

function principalOf(request: FastifyRequest): string {
  return request.principal?.id ?? networkOfRequest(request);
}

function networkOfRequest({ ip }: FastifyRequest): string {
  return networkOf(ip);
}
