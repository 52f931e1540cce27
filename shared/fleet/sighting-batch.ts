import { z } from 'zod';
import { idSchema, slugSchema } from '../ids/ids.ts';
import { ulidSchema } from '../ids/ulid.ts';
import type { Sighting } from '../messages/events.ts';

/** Sightings that a message holds at most. */
export const MOST_SIGHTINGS = 256;

/** What the control plane hears of a sighting: that somebody was seen, where and when. Not who it was: no id of a customer is in it. */
export const sightingReportSchema = z.strictObject({
  id: idSchema('sighting'),
  camera: slugSchema,
  begunAt: z.iso.datetime(),
  endedAt: z.iso.datetime(),
  /** Whether it was a customer. */
  known: z.boolean(),
  /** Cosine similarity of the decision in whole tenths; null without a decision, and where nobody was alike at all. */
  confidence: z.int().min(0).max(10).nullable(),
});
export type SightingReport = z.output<typeof sightingReportSchema>;

/** Sightings of one tenant. The control plane answers when they are written down; until then the box keeps them. */
export const sightingBatchSchema = z.strictObject({
  batch: ulidSchema,
  org: slugSchema,
  tenant: slugSchema,
  sightings: z.array(sightingReportSchema).min(1).max(MOST_SIGHTINGS),
});

export function reportOf({ id, camera, startedAt, endedAt, outcome, score }: Sighting): SightingReport {
  const confidence = score === null || score < 0 ? null : Math.floor(score * 10);
  return { id, camera, begunAt: startedAt, endedAt, known: outcome === 'person', confidence };
}
