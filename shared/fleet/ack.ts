import { z } from 'zod';
import { idSchema } from '../ids/ids.ts';
import { ulidSchema } from '../ids/ulid.ts';
import { pairSchema } from './command.ts';

export const ACK_TYPE = 'securegate-ack+jwt';

/** What a box can say of a command. The last three are its last word. */
export const ACK_STATES = ['IN_PROGRESS', 'SUCCEEDED', 'FAILED', 'REJECTED'] as const;
export type AckState = (typeof ACK_STATES)[number];

const count = z.int().min(0);
/** What a box has removed, where that was the order; numbers alone, no names. */
export const removedSchema = z.strictObject({
  /** Keys and what opens them: headers, key files, kept leases, copies of the keyring. */
  keyFiles: count,
  /** Everything else. */
  dataFiles: count,
  bytes: count,
  /** Customers who were erased; of a tenant that is shredded nobody counts them. */
  customers: count,
  /** Whether a counter in the TPM was raised, so that no copy of a kept lease opens. */
  tpmCounter: z.boolean(),
});
export type Removed = z.output<typeof removedSchema>;

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
  removed: removedSchema.optional(),
});
export type AckClaims = z.output<typeof ackClaimsSchema>;
