import { z } from 'zod';
import { logTokenSchema } from '../audit/log-tokens.ts';
import { ulidSchema } from '../ids/ulid.ts';

/** The answer repeats it. */
const id = ulidSchema;
/** A JWT that the box signed. */
const token = z.string().max(8192);

/** What a box asks the control plane, and waits for: none of it is kept on the way, nor what answers it (reply.ts). */
export const requestSchema = z.discriminatedUnion('kind', [
  /** A number of the KMS for the box to sign. */
  z.strictObject({ kind: z.literal('lease-challenge'), id }),
  /** A tenant's key under a lease: a token of export-request.ts. */
  z.strictObject({ kind: z.literal('lease-export'), id, request: token }),
  /** For the KMS: that a tenant has moved (epoch-moved.ts). */
  z.strictObject({ kind: z.literal('lease-moved'), id, token }),
  /** For the KMS, after the loss of its HSM: a tenant's key (hand-over.ts). */
  z.strictObject({ kind: z.literal('lease-hand-over'), id, token }),
  /** How the keys have changed that the box has pinned. `recovery`: id of the newest recovery that it has followed. */
  z.strictObject({ kind: z.literal('key-changes'), id, recovery: ulidSchema.optional() }),
  /** How the log goes on from the last head that the box has signed; null before the first. */
  z.strictObject({ kind: z.literal('log-head'), id, head: logTokenSchema.nullable() }),
  /** The box has signed a head (log-tokens.ts). It is not answered: with the next head, the box signs again. */
  z.strictObject({ kind: z.literal('log-cosigned'), id, token }),
  /** The box has refused a head. It is not answered either. */
  z.strictObject({ kind: z.literal('log-refused'), id, token }),
]);
export type Request = z.output<typeof requestSchema>;
