import { z } from 'zod';
import { idSchema, slugSchema } from '../ids/ids.ts';
import { ulidSchema } from '../ids/ulid.ts';
import { toldPairSchema } from './hello.ts';

/** Tenants of one box that the control plane can know of. */
export const MOST_REPORTED_TENANTS = 256;
/** Cameras of one box that the control plane can know of. */
export const MOST_REPORTED_CAMERAS = 400;

/**
 * `applied`: it is as it should be. `waiting`: it comes by itself, when the tenant is open. `fixed`: the configuration file of the box
 * says what it is. `failed`: the reason says why. `closed`: it is not desired any more.
 */
const itemStates = z.enum(['applied', 'waiting', 'fixed', 'failed', 'closed']);
/** Code of an error. */
const reason = z
  .string()
  .regex(/^[a-z_]{1,64}$/)
  .nullable();

const tenantItem = z.strictObject({ id: slugSchema, state: itemStates, reason });
const cameraItem = z.strictObject({
  tenant: slugSchema,
  /** One that the configuration file declares has its slug for an id. */
  id: z.union([idSchema('record'), slugSchema]),
  state: itemStates,
  reason,
});

/** `waiting`: the box is at it, or the reason says what somebody has to bring to it. Until they are applied, those before are at work. */
const modelsItem = z.strictObject({
  state: z.enum(['applied', 'waiting', 'fixed', 'failed']),
  reason,
  /** Of the set that is at work: SHA-256 of each model's file as its source has it. */
  files: z.array(z.strictObject({ id: z.string().max(64), sha256: z.string().regex(/^[0-9a-f]{64}$/) })).max(8),
});
export type ReportedModels = z.output<typeof modelsItem>;

/** How a box is, beside what it should be. */
export const reportedStateSchema = z
  .strictObject({
    /** The version of the desired state that it has taken; null before the first. */
    version: toldPairSchema.extend({ id: ulidSchema }).nullable(),
    tenants: z.array(tenantItem).max(MOST_REPORTED_TENANTS),
    cameras: z.array(cameraItem).max(MOST_REPORTED_CAMERAS),
    /** Tenants of its org that were shredded on it, whoever did that: they never come back to it. The last 256. */
    shredded: z.array(slugSchema).max(MOST_REPORTED_TENANTS).default([]),
    /** By which it detects and recognises. */
    modelSet: z.string().max(64),
    /** Null of a box whose version says nothing of it. */
    models: modelsItem.nullable().default(null),
    boxVersion: z.string().max(64),
  })
  .meta({ id: 'ReportedState' });
export type ReportedState = z.output<typeof reportedStateSchema>;

/** What a box says of its state: on every connect and whenever it changes, until it is answered. */
export const reportSchema = z.strictObject({
  /** New for each report. */
  report: ulidSchema,
  state: reportedStateSchema,
});
export type Report = z.output<typeof reportSchema>;
