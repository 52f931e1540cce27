import { z } from 'zod';
import { sightingSchema } from './events.ts';

/** What the receiver of a webhook is sent. It names nobody: names stay in the vault, and are read by a key that may. */
export const webhookMessageSchema = z
  .strictObject({ id: z.string(), event: z.literal('sighting'), sighting: sightingSchema })
  .meta({ id: 'WebhookMessage' });
export type WebhookMessage = z.infer<typeof webhookMessageSchema>;
