import { z } from 'zod';
import { idSchema } from '../ids/ids.ts';
import { nameSchema } from '../ids/name-schema.ts';

export const DEVICE_STATEMENT_TYPE = 'securegate-device+jwt';
export const FLEET_AUDIENCE = 'securegate-fleet';
/** Header of an HTTP request in which a box that enrols sends its statement. */
export const DEVICE_STATEMENT_HEADER = 'securegate-device';

/**
 * What a box says of itself when it enrols (JWT, RFC 7519, ES256, with the public key in its header): who it is and to which keys its
 * tenants' keys are to be given. It is signed by the key that an assignment names.
 */
export const deviceStatementSchema = z.strictObject({
  aud: z.literal(FLEET_AUDIENCE),
  /** The box. */
  sub: idSchema('box'),
  name: nameSchema,
  /** The RSA key to which tenant keys are wrapped: SubjectPublicKeyInfo (DER), base64url. */
  wrap: z.string().regex(/^[\w-]{300,800}$/),
  /** SHA-256 of the certificate request (DER) that this goes with, base64url: it counts for no other one. */
  csr: z.string().regex(/^[\w-]{43}$/),
});
export type DeviceStatement = z.output<typeof deviceStatementSchema>;
