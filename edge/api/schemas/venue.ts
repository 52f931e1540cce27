import { z } from 'zod';
import { idSchema, slugSchema } from '../../../shared/ids/ids.ts';
import { tenantParams } from './common.ts';

const recordId = idSchema('record');

/** May hold the camera's credentials: is written, and never read back whole. No other protocol or file is ever opened for a client. */
export const cameraUrl = z
  .string()
  .max(2000)
  .regex(/^rtsps?:\/\/[^\s/?#]\S*$/, { error: 'not an rtsp:// or rtsps:// address' });

const fps = z.number().min(0.2).max(30);

const tiles = z.strictObject({
  columns: z.number().int().min(1).max(8),
  rows: z.number().int().min(1).max(8),
  overlap: z.number().min(0).max(0.5),
});

/**
 * The records that a venue keeps for itself. Each kind is one schema: its routes (list, add, read, change, remove) are made
 * from this table, so that they cannot differ.
 */
export const VENUE_RECORDS = {
  events: z
    .strictObject({ title: z.string().min(1).max(200), startsAt: z.iso.datetime(), endsAt: z.iso.datetime(), roomId: recordId.optional() })
    .meta({ id: 'Event', examples: [{ title: 'Winter concert', startsAt: '2026-12-12T19:00:00Z', endsAt: '2026-12-12T22:00:00Z' }] }),
  rooms: z
    .strictObject({ title: z.string().min(1).max(200), capacity: z.number().int().positive().optional() })
    .meta({ id: 'Room', examples: [{ title: 'Great hall', capacity: 800 }] }),
  cameras: z
    .strictObject({
      slug: slugSchema,
      title: z.string().max(200).optional(),
      url: cameraUrl,
      fps: fps.default(5),
      tiles: tiles.optional(),
      roomId: recordId.optional(),
    })
    .meta({ id: 'Camera', examples: [{ slug: 'main-door', title: 'Main door', url: 'rtsp://192.168.10.21:554/stream1', fps: 5 }] }),
  attendees: z
    .strictObject({ eventId: recordId, customerId: idSchema('customer') })
    .meta({ id: 'Attendee', examples: [{ eventId: 'rec_aaaaaaaaaaaaaaaaaaaaaaaaaa', customerId: 'cus_aaaaaaaaaaaaaaaaaaaaaaaaaa' }] }),
  /** Somebody may only be watched for a stated purpose, by a named owner, for a limited time. */
  watchlists: z
    .strictObject({
      customerId: idSchema('customer'),
      purpose: z.string().min(1).max(500),
      owner: z.string().min(1).max(200),
      expiresAt: z.iso.datetime(),
    })
    .meta({
      id: 'WatchlistEntry',
      examples: [
        {
          customerId: 'cus_aaaaaaaaaaaaaaaaaaaaaaaaaa',
          purpose: 'greeted at the door',
          owner: 'Guest relations',
          expiresAt: '2026-12-31T00:00:00Z',
        },
      ],
    }),
  webhooks: z
    .strictObject({ url: z.url({ protocol: /^https?$/ }), active: z.boolean().default(true) })
    .meta({ id: 'Webhook', examples: [{ url: 'https://hooks.example.org/securegate', active: true }] }),
} as const;

const camera = VENUE_RECORDS.cameras.shape;

/** A change names what is to change; nothing that is left out falls back to a default. */
export const cameraPatchSchema = z
  .strictObject({
    slug: camera.slug.optional(),
    title: camera.title,
    url: camera.url.optional(),
    fps: fps.optional(),
    tiles: tiles.nullable().optional(),
    roomId: recordId.nullable().optional(),
  })
  .meta({ id: 'CameraPatch', examples: [{ fps: 8 }] });

export const recordParams = tenantParams.extend({ id: recordId });

/** A camera that the configuration file declares has its slug for an id. */
export const cameraParams = tenantParams.extend({ id: z.union([recordId, slugSchema]) });
