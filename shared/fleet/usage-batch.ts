import { z } from 'zod';
import { slugSchema } from '../ids/ids.ts';
import { ulidSchema } from '../ids/ulid.ts';

/** Days that a message holds at most. */
export const MOST_USAGE_DAYS = 64;

/**
 * What one run of a tenant's vault has counted on one day (UTC), all of it so far: told twice it counts once, and where a word of it is
 * lost the next one says it too. A run is never continued, so a vault that is put back to an earlier state counts nothing anew.
 */
export const usageDaySchema = z.strictObject({
  run: ulidSchema,
  day: z.iso.date(),
  counters: z.record(z.string().regex(/^[a-z][a-z0-9_.-]{0,63}$/), z.int().min(1)).refine((counters) => Object.keys(counters).length <= 64),
});
export type UsageOfRun = z.output<typeof usageDaySchema>;

/** Usage of one tenant. */
export const usageBatchSchema = z.strictObject({
  batch: ulidSchema,
  org: slugSchema,
  tenant: slugSchema,
  days: z.array(usageDaySchema).min(1).max(MOST_USAGE_DAYS),
});
