import { z } from 'zod';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { idSchema, slugSchema } from '../../../shared/ids/ids.ts';
import { KMS_AUDIENCE } from '../../../shared/lease/export-request.ts';
import { type LeaseTerms, leaseTermsSchema } from '../../../shared/lease/lease-token.ts';
import type { AdminSet } from './admin-set.ts';
import { verifyAdminToken } from './verify-admin-token.ts';

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

const KIND = { type: ASSIGNMENT_TYPE, claims: claimsSchema, rejection: 'assignment_rejected' } as const;

/** @throws {SecureGateError} `assignment_rejected` */
export async function verifyAssignment(token: string, admins: AdminSet, now: number): Promise<Assignment> {
  const { jti, org, tenant, sub, wrap, cnf, lease, exp } = await verifyAdminToken(KIND, token, admins, now);
  return { id: jti, org, tenant, device: sub, wrapKey: wrap, signingKey: cnf.jkt, lease, endsAt: exp };
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
