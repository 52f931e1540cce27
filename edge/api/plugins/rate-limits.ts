import type { FastifyRequest } from 'fastify';
import { type Limit, networkOfRequest, requestsAMinute } from '../../../shared/http/requests-a-minute.ts';
import type { Api } from '../api.ts';

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
export function addRateLimits(api: Api, limits: RateLimits, monotonic: () => number): Limit {
  const limit = requestsAMinute(monotonic);
  const perAddress = limit(limits.perAddress, networkOfRequest);
  const perPrincipal = limit(limits.perPrincipal, principalOf);
  const pictures = limit(limits.pictures, principalOf);
  api.addHook('onRequest', (request, _reply, done) => {
    perAddress(request);
    done();
  });
  // Comes after authentication, before the body is read.
  api.addHook('preParsing', (request, _reply, _payload, done) => {
    if (request.principal !== undefined) perPrincipal(request);
    if (request.route.config.takesPicture) pictures(request);
    done();
  });
  return limit(limits.logIns, networkOfRequest);
}

function principalOf(request: FastifyRequest): string {
  return request.principal?.id ?? networkOfRequest(request);
}
