import { z } from 'zod';
import { slugSchema } from '../ids/ids.ts';
import { LOG_ANCHORS, VAULT_STATES } from '../messages/events.ts';

const count = z.int().min(0);
const code = z.string().regex(/^[a-z_]{1,64}$/);

/** How a box is, every few minutes. The newest one counts alone, so none is kept for later. It tells of the tenants whose keys come from the KMS. */
export const telemetrySchema = z
  .strictObject({
    version: z.string().max(64).describe('Of the software of the box.'),
    uptimeMs: count,
    cameras: z.strictObject({ live: count, others: count }),
    frames: z.strictObject({ seen: count, skipped: count }).describe('Pictures that were looked at since it started, and given up.'),
    diskFreeBytes: count,
    anchor: z
      .enum(LOG_ANCHORS)
      .optional()
      .describe('Where the box holds the head of the log that it has signed: in its TPM as well, or on its disk alone.'),
    tenants: z
      .array(
        z.strictObject({
          tenant: slugSchema,
          state: z.enum(VAULT_STATES),
          leaseEndsAt: z.iso.datetime().nullable(),
          waiting: count.describe('Sightings that the control plane has not confirmed.'),
          dropped: count.describe('Sightings that had no room while they waited, ever.'),
        }),
      )
      .max(256),
    warnings: z.array(z.strictObject({ tenant: slugSchema.nullable(), reason: code })).max(256),
  })
  .meta({ id: 'Telemetry' });
export type Telemetry = z.output<typeof telemetrySchema>;
