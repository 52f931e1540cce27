import { z } from 'zod';
import { idSchema, slugSchema } from '../ids/ids.ts';
import { KMS_AUDIENCE } from './export-request.ts';
import { leaseTermsSchema } from './lease-token.ts';

export const ASSIGNMENT_TYPE = 'securegate-assignment+jwt';

const sha256 = z.string().regex(/^[\w-]{43}$/);

/** What an admin of the org says by an assignment: this device may have the keys of this tenant until then. */
export const assignmentClaimsSchema = z.strictObject({
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
