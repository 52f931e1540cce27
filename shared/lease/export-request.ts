import { z } from 'zod';
import { idSchema, slugSchema } from '../ids/ids.ts';

/** Who every token for the KMS is meant for. */
export const KMS_AUDIENCE = 'securegate-kms';
export const EXPORT_REQUEST_TYPE = 'securegate-export+jwt';

/** What a box asks for when it wants a tenant's key (JWT, RFC 7519, ES256, with the public key in its header). */
export const exportClaimsSchema = z.strictObject({
  aud: z.literal(KMS_AUDIENCE),
  /** The device. */
  sub: idSchema('box'),
  org: slugSchema,
  tenant: slugSchema,
  epoch: z.int().min(1),
  /** The challenge that the KMS gave: it makes the request fresh also for a device whose clock is wrong. */
  nonce: z.string().regex(/^[\w-]{43}$/),
  /** One-use key (X25519, 32 bytes) to which the answer is sealed. */
  hpke: z.string().regex(/^[\w-]{43}$/),
});
