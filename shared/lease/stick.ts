import { z } from 'zod';
import { leaseAnswerSchema } from './lease-answer.ts';

/** The epoch in use and the one after it: more a box never needs at once. */
const MOST = 2;
const token = z
  .string()
  .regex(/^[\w-]+\.[\w-]+\.[\w-]+$/, { error: 'not a signed token' })
  .max(4096);

/** What a box without a network gives to whoever goes to its KMS. None of it is a secret. */
export const stickRequestSchema = z.strictObject({
  /** Tokens of export-request.ts: for the epoch in use, and for the next one, which there may not be. */
  requests: z.array(token).min(1).max(MOST),
  /** Token of epoch-moved.ts, from a box that has moved. */
  moved: token.nullable(),
});
export type StickRequest = z.output<typeof stickRequestSchema>;

/** What the KMS made of it: an answer for each epoch of which it has a key for this box. */
export const stickAnswerSchema = z.strictObject({ answers: z.array(leaseAnswerSchema).min(1).max(MOST) });
export type StickAnswer = z.output<typeof stickAnswerSchema>;
