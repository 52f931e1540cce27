import { z } from 'zod';
import { idSchema, slugSchema } from '../ids/ids.ts';
import { ulidSchema } from '../ids/ulid.ts';
import { KMS_AUDIENCE } from './export-request.ts';
import { signedRecoverySchema } from './recovery.ts';

export const HAND_OVER_TYPE = 'securegate-hand-over+jwt';

/** A tenant's key on its way from a box to an HSM (JWT, RFC 7519, ES256, with the public key in its header). */
export const handOverSchema = z.strictObject({
  aud: z.literal(KMS_AUDIENCE),
  /** The device. */
  sub: idSchema('box'),
  org: slugSchema,
  tenant: slugSchema,
  epoch: z.int().min(1),
  iat: z.int(),
  /** Id of the recovery (recovery.ts) by which the box does it. */
  recovery: ulidSchema,
  /** The key, by RSA-OAEP (RFC 8017) to the transport key of that recovery. */
  tek: z.base64url().max(1024),
});

/** What a box without a network gives to whoever goes to its KMS. None of it opens outside that HSM. */
export const handedOverSchema = z.strictObject({
  recovery: signedRecoverySchema,
  handOvers: z.array(z.string().max(8192)).min(1).max(256),
});
export type HandedOver = z.output<typeof handedOverSchema>;
