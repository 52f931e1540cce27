import { z } from 'zod';
import { slugSchema } from '../ids/ids.ts';
import { KMS_AUDIENCE } from './export-request.ts';

export const OFFLINE_APPROVAL_TYPE = 'securegate-offline+jwt';
/** From its making to its end: a stick that was lost is worth nothing after that. */
export const MOST_APPROVAL_SECONDS = 7 * 86_400;

/**
 * What an admin of the org signs for a box without a network (JWT, RFC 7519, ES256): this one request, which came on a stick and answers
 * no challenge, may be answered once.
 */
export const offlineApprovalSchema = z.strictObject({
  aud: z.literal(KMS_AUDIENCE),
  jti: z.string().regex(/^[\w-]{16,64}$/),
  iat: z.int(),
  exp: z.int(),
  org: slugSchema,
  /** SHA-256 of the request as it stands, base64url. */
  request: z.string().regex(/^[\w-]{43}$/),
});
