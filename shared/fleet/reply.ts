import { z } from 'zod';
import { logUpdateSchema } from '../audit/follow-log.ts';
import { ulidSchema } from '../ids/ulid.ts';

/** What the control plane says to a box beside commands. */
export const replySchema = z.discriminatedUnion('kind', [
  /** A word of the box is written down, for ever, under this id. */
  z.strictObject({ kind: z.literal('ack-kept'), digest: z.string().regex(/^[\w-]{43}$/), receipt: ulidSchema }),
  /** A hello was heard. `forgotten`: the receipt that it names is not remembered, so the box tells every word again. */
  z.strictObject({ kind: z.literal('welcome'), session: ulidSchema, forgotten: z.boolean() }),
  /** The newest head of the log. `id`: that of the request (request.ts) which it answers. */
  z.strictObject({ kind: z.literal('log-head'), id: ulidSchema, update: logUpdateSchema }),
]);
export type Reply = z.output<typeof replySchema>;
