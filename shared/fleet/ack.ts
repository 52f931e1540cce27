import { z } from 'zod';
import { idSchema } from '../ids/ids.ts';
import { ulidSchema } from '../ids/ulid.ts';
import { pairSchema } from './command.ts';

export const ACK_TYPE = 'securegate-ack+jwt';

/** What a box can say of a command. The last three are its last word. */
export const ACK_STATES = ['IN_PROGRESS', 'SUCCEEDED', 'FAILED', 'REJECTED'] as const;
export type AckState = (typeof ACK_STATES)[number];

/** A box's word on a command (JWT, RFC 7519, ES256 by the key of the certificate of the box). */
export const ackClaimsSchema = z.strictObject({
  aud: z.literal('securegate-cloud'),
  /** The device. */
  sub: idSchema('box'),
  iat: z.int(),
  command: ulidSchema,
  /** SHA-256 of the command as it came, base64url: what exactly was ordered. */
  digest: z.string().regex(/^[\w-]{43}$/),
  pair: pairSchema.optional(),
  state: z.enum(ACK_STATES),
  /** Code of an error, where it is not done. */
  reason: z
    .string()
    .regex(/^[a-z_]{1,64}$/)
    .optional(),
});
export type AckClaims = z.output<typeof ackClaimsSchema>;
