import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { z } from 'zod';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { slugSchema } from '../../shared/ids/ids.ts';
import { principalIdSchema } from './people.ts';

export const CLOUD_AUDIENCE = 'securegate-cloud';
/** Type of an access token (RFC 9068). */
export const ACCESS_TOKEN_TYPE = 'at+jwt';
/** The org that an account belongs to, in its token; this for one of the platform. */
export const PLATFORM_OWNER = 'platform';
const LONGEST = '10m';
const SKEW_S = 5;

const claimsSchema = z.object({ sub: principalIdSchema, owner: z.union([z.literal(PLATFORM_OWNER), slugSchema]) });

/** Whose tokens count, and by which keys they are signed. */
export interface TrustedIssuer {
  readonly issuer: string;
  readonly keys: JSONWebKeySet;
}

/** Who a token says that its bearer is. `org` is '' for the platform. */
export interface TokenSubject {
  readonly id: string;
  readonly org: string;
}

/** Checks access tokens (JWT profile, RFC 9068): ES256, typ `at+jwt`, at most ten minutes old. */
export class TokenVerifier {
  readonly #issuer: string;
  readonly #keys: JWTVerifyGetKey;
  readonly #now: () => number;

  constructor({ issuer, keys }: TrustedIssuer, now: () => number) {
    this.#issuer = issuer;
    this.#keys = createLocalJWKSet(keys);
    this.#now = now;
  }

  /** @throws {SecureGateError} `unauthenticated`, whatever is wrong with it */
  async verify(token: string): Promise<TokenSubject> {
    try {
      const { payload } = await jwtVerify(token, this.#keys, {
        issuer: this.#issuer,
        audience: CLOUD_AUDIENCE,
        algorithms: ['ES256'],
        typ: ACCESS_TOKEN_TYPE,
        clockTolerance: SKEW_S,
        maxTokenAge: LONGEST,
        requiredClaims: ['exp', 'iat', 'sub', 'owner'],
        currentDate: new Date(this.#now()),
      });
      const { sub, owner } = claimsSchema.parse(payload);
      return { id: sub, org: owner === PLATFORM_OWNER ? '' : owner };
    } catch (cause) {
      throw new SecureGateError('unauthenticated', 'This access token does not count', { cause });
    }
  }
}
