import { z } from 'zod';
import { idSchema, slugSchema } from '../ids/ids.ts';
import { ulidSchema } from '../ids/ulid.ts';
import { pairSchema } from './command.ts';
import { desiredCameraSchema } from './desired-camera.ts';

export const DESIRED_TYPE = 'securegate-desired+jwt';

/** Longest desired state as it is sent, in characters. */
export const MOST_DESIRED_CHARACTERS = 64 * 1024;

/** What the control plane says of a tenant's people: the box keeps to it. */
export const desiredPolicySchema = z.object({
  sightingsDays: z.int().min(1).max(3650),
  unmatchedTtlMs: z.int().min(1000).max(60_000),
  matchThreshold: z.number().min(0).max(1).nullable(),
});
export type DesiredPolicy = z.output<typeof desiredPolicySchema>;

const desiredTenantSchema = z.strictObject({
  id: slugSchema,
  policy: desiredPolicySchema.strict(),
  cameras: z.array(desiredCameraSchema),
});
export type DesiredTenant = z.output<typeof desiredTenantSchema>;

/**
 * What a box should have. A tenant that came from here and is not named any more is closed. A camera can also have been added on the
 * box itself: it goes when it is named as removed.
 */
export const desiredStateSchema = z
  .strictObject({
    tenants: z.array(desiredTenantSchema),
    removedCameras: z.array(z.strictObject({ tenant: slugSchema, id: idSchema('record') })),
    /** Set of models by which it detects and recognises; the box's own where none is named, as before there was a choice. */
    models: slugSchema.optional(),
  })
  .meta({ id: 'DesiredState' });
export type DesiredState = z.output<typeof desiredStateSchema>;

/**
 * A version of the desired state (JWT, RFC 7519, ES256 by the HSM's key for commands). Its pair says which of two is the later one, as
 * that of a command does among commands.
 */
export const desiredClaimsSchema = z.strictObject({
  aud: z.literal('securegate-box'),
  /** The device. */
  sub: idSchema('box'),
  /** New for each version. */
  jti: ulidSchema,
  iat: z.int(),
  pair: pairSchema,
  org: slugSchema,
  state: desiredStateSchema,
});
export type DesiredClaims = z.output<typeof desiredClaimsSchema>;
