import { z } from 'zod';
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
]);
export type Request = z.output<typeof requestSchema>;
