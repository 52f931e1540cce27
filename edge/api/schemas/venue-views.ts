import { z } from 'zod';
import { idSchema } from '../../../shared/ids/ids.ts';
import { VENUE_RECORDS } from './venue.ts';

const stored = {
  id: idSchema('record'),
  /** Changes with every change; the ETag. */
  version: z.number().int(),
};

/** The venue's records as they are read. */
export const viewSchemas = {
  events: VENUE_RECORDS.events.safeExtend(stored).meta({ id: 'StoredEvent' }),
  rooms: VENUE_RECORDS.rooms.safeExtend(stored).meta({ id: 'StoredRoom' }),
  attendees: VENUE_RECORDS.attendees.safeExtend(stored).meta({ id: 'StoredAttendee' }),
  watchlists: VENUE_RECORDS.watchlists.safeExtend(stored).meta({ id: 'StoredWatchlistEntry' }),
} as const;

export const webhookSchema = z.strictObject({ ...stored, url: z.string(), active: z.boolean() }).meta({ id: 'StoredWebhook' });

/** The signing secret is in the first answer and never again: null in that to a repeated request. */
export const createdWebhookSchema = webhookSchema.extend({ secret: z.string().nullable() }).meta({ id: 'CreatedWebhook' });

export const deadLetterSchema = z
  .strictObject({
    id: z.string(),
    sightingId: z.string(),
    phase: z.enum(['begun', 'ended']),
    givenUpAt: z.iso.datetime(),
    attempts: z.number().int(),
    /** HTTP status, error code of the system, or one of ours. */
    reason: z.string(),
  })
  .meta({ id: 'DeadLetter' });

export const redeliveredSchema = z.strictObject({ redelivered: z.number().int() }).meta({ id: 'Redelivered' });
