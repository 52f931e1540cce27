import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { z } from 'zod';
import { SecureGateError } from '../errors/securegate-error.ts';
import { principalIdSchema, slugSchema } from '../ids/ids.ts';

export const CLOUD_AUDIENCE = 'securegate-cloud';
/** Not that of the control plane: a box that somebody has taken over can do nothing there with the tokens that it is shown. */
export const BOX_AUDIENCE = 'securegate-box';
/** Type of an access token (RFC 9068). */
export const ACCESS_TOKEN_TYPE = 'at+jwt';
/** The org that an account belongs to, in its token; this for one of the platform. */
export const PLATFORM_OWNER = 'platform';
const LONGEST = '10m';
const SKEW_S = 5;
const MOST_ROLES = 100;

const claimsSchema = z.object({
  sub: principalIdSchema,
  owner: z.union([z.literal(PLATFORM_OWNER), slugSchema]),
  roles: z
    .array(z.object({ role: z.string(), tenant: slugSchema.optional() }))
    .max(MOST_ROLES)
    .default([]),
});

/** Whose tokens count, and by which keys they are signed. */
export interface TrustedIssuer {
  readonly issuer: string;
  /** A fixed set of keys, or what finds the one of a token. */
  readonly keys: JSONWebKeySet | JWTVerifyGetKey;
}

/** A role that a token gives; without a tenant, in all of its org. */
export interface GivenRole {
  readonly role: string;
  readonly tenant?: string | undefined;
}

/** Who a token says that its bearer is. `org` is '' for the platform. */
export interface TokenSubject {
  readonly id: string;
  readonly org: string;
  readonly roles: readonly GivenRole[];
}

/** Checks access tokens (JWT profile, RFC 9068): ES256, typ `at+jwt`, at most ten minutes old. */
export class TokenVerifier {
  readonly #keys: ReadonlyMap<unknown, JWTVerifyGetKey>;
  readonly #audience: string;
  readonly #now: () => number;

  constructor(issuers: readonly TrustedIssuer[], audience: string, now: () => number) {
    this.#keys = new Map(issuers.map(({ issuer, keys }) => [issuer, typeof keys === 'function' ? keys : createLocalJWKSet(keys)]));
    this.#audience = audience;
    this.#now = now;
  }

  /** @throws {SecureGateError} `unauthenticated`, whatever is wrong with it; `issuer_unavailable` */
  async verify(token: string): Promise<TokenSubject> {
    try {
      // What it says of itself counts once the key of that very issuer has opened it.
      const keys = this.#keys.get(decodeJwt(token).iss);
      if (keys === undefined) throw new SecureGateError('unauthenticated', 'Nobody trusts the issuer of this access token');
      const { payload } = await jwtVerify(token, keys, {
        audience: this.#audience,
        algorithms: ['ES256'],
        typ: ACCESS_TOKEN_TYPE,
        clockTolerance: SKEW_S,
        maxTokenAge: LONGEST,
        requiredClaims: ['exp', 'iat', 'sub', 'owner'],
        currentDate: new Date(this.#now()),
      });
      const { sub, owner, roles } = claimsSchema.parse(payload);
      return { id: sub, org: owner === PLATFORM_OWNER ? '' : owner, roles };
    } catch (cause) {
      if (cause instanceof SecureGateError && cause.code === 'issuer_unavailable') throw cause;
      throw new SecureGateError('unauthenticated', 'This access token does not count', { cause });
    }
  }
}
