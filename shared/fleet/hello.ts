import { z } from 'zod';
import { slugSchema } from '../ids/ids.ts';
import { ulidSchema } from '../ids/ulid.ts';
import { pairSchema } from './command.ts';

/** No ledger is restored so often; a box that says more does not get the ledger to count on. */
const MOST_INCARNATIONS = 1_000_000;

/** A pair as a box says it. */
export const toldPairSchema = pairSchema.extend({ incarnation: z.int().min(1).max(MOST_INCARNATIONS) });

/** What a box says on every connect: how far it is, so that the ledger sends what is missing and sees when it has lost some of its own memory. */
export const helloSchema = z.strictObject({
  /** New for each hello. */
  session: ulidSchema,
  /** The highest pair that the box has taken, and the command that had it. */
  highest: toldPairSchema.extend({ command: ulidSchema }).nullable(),
  /** Id of the newest receipt by which the control plane confirmed a word of this box. */
  receipt: ulidSchema.nullable(),
  /** The tenants' keys that it holds. */
  keys: z.array(z.strictObject({ org: slugSchema, tenant: slugSchema, epoch: z.int().min(1), endsAt: z.int().nullable() })).max(256),
});
export type Hello = z.output<typeof helloSchema>;
