import { z } from 'zod';
import { logUpdateSchema } from '../audit/follow-log.ts';
import { ulidSchema } from '../ids/ulid.ts';
import { keyChangesSchema } from '../lease/key-change.ts';
import { leaseAnswerSchema } from '../lease/lease-answer.ts';
import { leaseClaimsSchema } from '../lease/lease-token.ts';
import { toldRecoveriesSchema } from '../lease/recovery.ts';

/** That of the request (request.ts) which it answers. */
const id = ulidSchema;
const errorSchema = z.strictObject({ code: z.string(), message: z.string(), details: z.record(z.string(), z.unknown()) });

/** What the control plane says to a box beside commands. */
export const replySchema = z.discriminatedUnion('kind', [
  /** A word of the box is written down, for ever, under this id. */
  z.strictObject({ kind: z.literal('ack-kept'), digest: z.string().regex(/^[\w-]{43}$/), receipt: ulidSchema }),
  /** A hello was heard. `forgotten`: the receipt that it names is not remembered, so the box tells every word again. */
  z.strictObject({ kind: z.literal('welcome'), session: ulidSchema, forgotten: z.boolean() }),
  /** A report was written down. */
  z.strictObject({ kind: z.literal('report-kept'), report: ulidSchema }),
  z.strictObject({ kind: z.literal('challenge'), id, nonce: leaseClaimsSchema.shape.nonce }),
  z.strictObject({ kind: z.literal('lease'), id, answer: leaseAnswerSchema }),
  z.strictObject({ kind: z.literal('move-noted'), id }),
  /** The HSM has the key that the box handed over. */
  z.strictObject({ kind: z.literal('taken-over'), id }),
  /** A request comes to nothing. */
  z.strictObject({ kind: z.literal('refused'), id, error: errorSchema }),
  /** A batch of the box's outbox is written down. `refused`: how many of it count for nothing, whenever they come. */
  z.strictObject({ kind: z.literal('kept'), batch: ulidSchema, refused: z.int().min(0) }),
  /** How the keys have changed by which the control plane signs commands and leases. `lost`: an HSM is lost, and the box has not followed that yet. */
  z.strictObject({ kind: z.literal('key-changes'), id, changes: keyChangesSchema, lost: toldRecoveriesSchema.optional() }),
  /** The newest head of the log. `id`: that of the request (request.ts) which it answers. */
  z.strictObject({ kind: z.literal('log-head'), id: ulidSchema, update: logUpdateSchema }),
]);
export type Reply = z.output<typeof replySchema>;
