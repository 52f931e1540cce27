import { z } from 'zod';
import { idSchema, slugSchema } from '../ids/ids.ts';
import { KMS_AUDIENCE } from './export-request.ts';

export const EPOCH_MOVED_TYPE = 'securegate-epoch-moved+jwt';

/**
 * What a box signs when a tenant's keyring has moved (JWT, RFC 7519, ES256, with the public key in its header): nothing on it needs
 * the keys of earlier epochs any more.
 */
export const epochMovedSchema = z.strictObject({
  aud: z.literal(KMS_AUDIENCE),
  /** The device. */
  sub: idSchema('box'),
  org: slugSchema,
  tenant: slugSchema,
  /** The epoch that it is in now. */
  epoch: z.int().min(2),
  iat: z.int(),
});
