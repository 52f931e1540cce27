import { calculateJwkThumbprint, decodeProtectedHeader, importJWK, jwtVerify } from 'jose';
import { z } from 'zod';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { idSchema, slugSchema } from '../../../shared/ids/ids.ts';
import { KMS_AUDIENCE } from '../../../shared/lease/export-request.ts';
import { type LeaseTerms, leaseTermsSchema } from '../../../shared/lease/lease-token.ts';
import type { AdminSet } from './admin-set.ts';

export const ASSIGNMENT_TYPE = 'securegate-assignment+jwt';

const sha256 = z.string().regex(/^[\w-]{43}$/);

/** What an admin of the org says by an assignment: this device may have the keys of this tenant until then. */
const claimsSchema = z.strictObject({
  aud: z.literal(KMS_AUDIENCE),
  jti: z.string().regex(/^[\w-]{16,64}$/),
  iat: z.int(),
  exp: z.int(),
  org: slugSchema,
  tenant: slugSchema,
  /** The device. */
  sub: idSchema('box'),
  /** Fingerprint of the device's RSA key, to which the HSM wraps. */
  wrap: sha256,
  /** Thumbprint (RFC 7638) of the key by which the device signs its requests (RFC 7800). */
  cnf: z.strictObject({ jkt: sha256 }),
  lease: leaseTermsSchema,
});

export interface Assignment {
  readonly id: string;
  readonly org: string;
  readonly tenant: string;
  readonly device: string;
  readonly wrapKey: string;
  readonly signingKey: string;
  readonly lease: LeaseTerms;
  /** Seconds since the Unix epoch: no lease lives longer. */
  readonly endsAt: number;
}

/**
 * Checks an assignment (JWT, RFC 7519, ES256) against the keys that are pinned for the org now: one that was signed by an admin
 * who is no more does not hold.
 * @throws {SecureGateError} `assignment_rejected`
 */
export async function verifyAssignment(token: string, admins: AdminSet, now: number): Promise<Assignment> {
  const key = await signerOf(token, admins);
  try {
    const { payload } = await jwtVerify(token, await importJWK(key, 'ES256'), {
      algorithms: ['ES256'],
      typ: ASSIGNMENT_TYPE,
      audience: KMS_AUDIENCE,
      currentDate: new Date(now),
    });
    const { jti, org, tenant, sub, wrap, cnf, iat, exp, lease } = claimsSchema.parse(payload);
    if (org !== admins.org) throw new Error('It is of another org');
    if (iat * 1000 > now + MOST_SKEW_MS) throw new Error('It is from the future');
    return { id: jti, org, tenant, device: sub, wrapKey: wrap, signingKey: cnf.jkt, lease, endsAt: exp };
  } catch (cause) {
    throw new SecureGateError('assignment_rejected', 'This assignment does not hold', { cause, details: { reason: reasonOf(cause) } });
  }
}

/** The org that an assignment claims to be of, to look up its keys. Nothing is believed of it yet. */
export function claimedOrg(token: string): string {
  try {
    const [, payload = ''] = token.split('.');
    return z.object({ org: slugSchema }).parse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))).org;
  } catch (cause) {
    throw new SecureGateError('assignment_rejected', 'This is not an assignment', { cause });
  }
}

const MOST_SKEW_MS = 60_000;

async function signerOf(token: string, { admins }: AdminSet): Promise<AdminSet['admins']['keys'][number]> {
  const kid = keyIdOf(token);
  for (const key of admins.keys) if ((await calculateJwkThumbprint(key)) === kid) return key;
  throw new SecureGateError('assignment_rejected', 'This assignment is not signed by a pinned admin key');
}

function keyIdOf(token: string): string | undefined {
  try {
    return decodeProtectedHeader(token).kid;
  } catch (cause) {
    throw new SecureGateError('assignment_rejected', 'This is not an assignment', { cause });
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof z.ZodError ? 'its claims are not those of an assignment' : cause instanceof Error ? cause.message : 'unknown';
}
