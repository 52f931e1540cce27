import { z } from 'zod';
import { removedSchema } from '../../../shared/fleet/ack.ts';
import { pageQuery } from '../../../shared/http/common.ts';
import { idSchema, slugSchema } from '../../../shared/ids/ids.ts';
import { CAMERA_STATES, sightingSchema, statsSchema, VAULT_STATES } from '../../../shared/messages/events.ts';
import { tenantParams } from './common.ts';
import { cameraUrl } from './venue.ts';

export const healthSchema = z.strictObject({ status: z.literal('ok') }).meta({ id: 'Health' });

export const readinessSchema = z
  .strictObject({
    ready: z.boolean(),
    /** `reason`: error code of what is not ready. */
    parts: z.array(z.strictObject({ part: z.string(), ready: z.boolean(), reason: z.string().nullable() })),
    /** Error codes of what works, and will not for long unless somebody sees to it. Which tenant it is about, the figures of the box say. */
    warnings: z.array(z.string()),
  })
  .meta({ id: 'Readiness' });

export const tenantSchema = z
  .strictObject({
    id: slugSchema,
    org: slugSchema,
    matchThreshold: z.number().min(0).max(1).nullable(),
    unmatchedTtlMs: z.number().int().min(1000).max(60_000),
    /** Days (UTC) for which sightings are kept, the present one among them; older ones are removed from the disk. */
    sightingsDays: z.number().int().min(1).max(3650),
    /** Where its key comes from: a file of this box, or a KMS for a time. */
    keys: z.enum(['file', 'lease']),
    state: z.enum(VAULT_STATES),
    /** Error code of `failed` and `closed` (it waits for a lease), and of `starting` where the vault failed before and is tried again. */
    reason: z.string().nullable(),
    /** Declared in the configuration file: it is changed there. */
    fixed: z.boolean(),
  })
  .meta({ id: 'Tenant' });

export const newTenantSchema = tenantSchema
  .pick({ id: true, org: true })
  .extend({
    matchThreshold: z.number().min(0).max(1).optional(),
    unmatchedTtlMs: z.number().int().min(1000).max(60_000).optional(),
    sightingsDays: z.number().int().min(1).max(3650).optional(),
  })
  .meta({ id: 'NewTenant', examples: [{ id: 'north-hall', org: 'acme', unmatchedTtlMs: 10_000 }] });

export const tenantPatchSchema = newTenantSchema
  .pick({ unmatchedTtlMs: true, sightingsDays: true })
  .extend({ matchThreshold: z.number().min(0).max(1).nullable().optional() })
  .meta({ id: 'TenantPatch', examples: [{ matchThreshold: 0.5 }] });

/** `confirm`: the id of the tenant, once more. */
export const wipeSchema = z.strictObject({ confirm: slugSchema }).meta({ id: 'Wipe', examples: [{ confirm: 'north-hall' }] });
export const wipedSchema = removedSchema.meta({ id: 'Wiped' });

export const SCOPES = [
  'people:read',
  'people:write',
  'search',
  'sightings:read',
  'venue:read',
  'venue:write',
  'cameras:read',
  'cameras:write',
  // Not a part of venue:write: whoever names a receiver has every sighting sent there.
  'webhooks',
  'live',
  'usage:read',
] as const;
export type Scope = (typeof SCOPES)[number];

export const newApiKeySchema = z
  .strictObject({ title: z.string().min(1).max(100), scopes: z.array(z.enum(SCOPES)).min(1), expiresAt: z.iso.datetime().optional() })
  .meta({
    id: 'NewApiKey',
    examples: [{ title: 'Ticket shop', scopes: ['people:read', 'people:write'], expiresAt: '2027-12-31T00:00:00Z' }],
  });

export const apiKeySchema = z
  .strictObject({
    id: z.string(),
    title: z.string(),
    scopes: z.array(z.enum(SCOPES)),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime().nullable(),
    revokedAt: z.iso.datetime().nullable(),
    lastUsedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'ApiKey' });

/** The key itself is in this answer and never again. */
export const createdApiKeySchema = apiKeySchema.extend({ key: z.string() }).meta({ id: 'CreatedApiKey' });

export const keyParams = tenantParams.extend({ keyId: idSchema('apiKey') });

/** The admin token, or the secret of a login link. */
export const logInSchema = z
  .union([z.strictObject({ token: z.string().min(1).max(200) }), z.strictObject({ link: z.string().min(1).max(200) })])
  .meta({ id: 'LogIn', examples: [{ token: 'sga_…' }] });

/** `link` is the secret of the page's address `/#link=…`; it is in this answer and never again. */
export const loginLinkSchema = z.strictObject({ link: z.string(), expiresAt: z.iso.datetime() }).meta({ id: 'LoginLink' });

export const sessionSchema = z.strictObject({ subject: z.literal('admin'), expiresAt: z.iso.datetime() }).meta({ id: 'Session' });

/** A sighting as the API tells it: with the name for those who may read people. */
export const apiSightingSchema = sightingSchema
  .omit({ type: true })
  .extend({ name: z.string().nullable(), hasPicture: z.boolean() })
  .meta({ id: 'Sighting' });

export const sightingsQuery = pageQuery.extend({
  camera: slugSchema.optional(),
  outcome: z.enum(['person', 'unknown', 'undecided']).optional(),
  customerId: idSchema('customer').optional(),
  from: z.iso.datetime().optional(),
  to: z.iso.datetime().optional(),
});

export const sightingParams = tenantParams.extend({ sightingId: idSchema('sighting') });

/** Times at which the picture is let go unless it is asked for again, and in any case. */
export const heldPictureSchema = z
  .strictObject({ heldUntil: z.iso.datetime(), longestUntil: z.iso.datetime() })
  .meta({ id: 'HeldPicture' });

export const cameraViewSchema = z
  .strictObject({
    id: z.string(),
    slug: slugSchema,
    title: z.string().nullable(),
    /** Address without user and password. */
    address: z.string(),
    fps: z.number(),
    tiles: z.strictObject({ columns: z.number(), rows: z.number(), overlap: z.number() }).nullable(),
    roomId: z.string().nullable(),
    /** Declared in the configuration file: it is changed there. */
    fixed: z.boolean(),
    state: z.enum(CAMERA_STATES),
    reason: z.string().nullable(),
    fpsGiven: z.number(),
    version: z.number().int(),
  })
  .meta({ id: 'CameraView' });

export const cameraAddressSchema = z
  .strictObject({ url: cameraUrl })
  .meta({ id: 'CameraAddress', examples: [{ url: 'rtsp://192.168.10.21:554/stream1' }] });

export const cameraTestSchema = z
  .strictObject({ width: z.number().int(), height: z.number().int(), openedMs: z.number(), /** JPEG, base64. */ picture: z.string() })
  .meta({ id: 'CameraTest' });

export const systemSchema = z
  .strictObject({
    box: idSchema('box'),
    version: z.string(),
    stats: statsSchema,
    models: z.array(z.strictObject({ id: z.string(), task: z.string(), licence: z.string(), commercialUse: z.boolean() })),
  })
  .meta({ id: 'System' });

/** Days in UTC, both included. */
export const usageQuery = z.strictObject({ from: z.iso.date().optional(), to: z.iso.date().optional() });

export const usageSchema = z
  .strictObject({ days: z.array(z.strictObject({ day: z.iso.date(), counters: z.record(z.string(), z.number().int()) })) })
  .meta({ id: 'Usage' });
