import { z } from 'zod';
import { ENFORCEMENTS } from '../lease/lease-token.ts';

const box = z.strictObject({ x: z.number(), y: z.number(), width: z.number(), height: z.number() });

/**
 * Seen person or unknown, one per track. Ids are opaque; names stay in the tenant's vault.
 * A track that is recognised is reported at once (`begun`) and again under the same id when it is over (`ended`);
 * every other track is reported once, when it is over.
 */
export const sightingSchema = z.strictObject({
  type: z.literal('sighting'),
  phase: z.enum(['begun', 'ended']),
  id: z.string(),
  tenant: z.string(),
  camera: z.string(),
  /** Number of the track on its camera. */
  track: z.number().int(),
  /** Wall-clock times, ISO 8601. */
  startedAt: z.iso.datetime(),
  bestShotAt: z.iso.datetime().nullable(),
  /** Last time that the track was seen so far. */
  endedAt: z.iso.datetime(),
  /** The same three moments in the stream's own time, milliseconds since its first picture. */
  media: z.strictObject({ startMs: z.number(), bestShotMs: z.number().nullable(), endMs: z.number() }),
  /** Where the face was at the best shot (or at the track's end without one), pixels of the frame. */
  box,
  /** `person`: matched a customer. `unknown`: faces were good enough, nobody matched. `undecided`: no shot was good enough, or the vault was away. */
  outcome: z.enum(['person', 'unknown', 'undecided']),
  customerId: z.string().nullable(),
  /** Cosine similarity of the decision, -1..1; null without a decision. */
  score: z.number().nullable(),
  /** Shots that voted. */
  votes: z.number().int(),
  /** Ids of the models that were used; no landmarks model where the detector finds the points itself. */
  models: z.strictObject({ detector: z.string(), landmarks: z.string().nullable(), embedder: z.string() }),
});
export type Sighting = z.infer<typeof sightingSchema>;

export const CAMERA_STATES = ['connecting', 'live', 'failed', 'stopped', 'ended'] as const;

export const cameraStateSchema = z.strictObject({
  type: z.literal('camera'),
  at: z.iso.datetime(),
  tenant: z.string(),
  camera: z.string(),
  state: z.enum(CAMERA_STATES),
  /** Error code of `failed`, else null. */
  reason: z.string().nullable(),
});
export type CameraStateEvent = z.infer<typeof cameraStateSchema>;

/** `closed`: it waits for a lease of its tenant's key. */
/** Where a box holds the head of its control plane's log: in its TPM as well as on its disk, or there alone. */
export const LOG_ANCHORS = ['tpm', 'disk'] as const;

export const VAULT_STATES = ['starting', 'ready', 'closed', 'failed', 'stopped'] as const;

const quantiles = z.strictObject({ p50: z.number(), p95: z.number(), p99: z.number() });

export const statsSchema = z.strictObject({
  type: z.literal('stats'),
  at: z.iso.datetime(),
  uptimeMs: z.number(),
  cameras: z.array(
    z.strictObject({
      tenant: z.string(),
      camera: z.string(),
      state: z.enum(CAMERA_STATES),
      /** Frames looked at, frames given up because the queue was full, tracks begun, frames or votes that failed; since start. */
      frames: z.number().int(),
      skipped: z.number().int(),
      tracks: z.number().int(),
      failures: z.number().int(),
      /** Frames that wait to be looked at. */
      waiting: z.number().int(),
      fpsWanted: z.number(),
      /** Frames processed a second since the camera went live. */
      fps: z.number(),
    }),
  ),
  /** From arrival of a frame to the end of its processing, milliseconds. */
  latencyMs: quantiles,
  eventLoopMs: quantiles,
  /** Tasks that wait for an inference thread, faces that wait for the embedder. */
  queues: z.strictObject({ inference: z.number().int(), embedder: z.number().int() }),
  /** Faces turned away, by reason. */
  rejections: z.record(z.string(), z.number().int()),
  provider: z.strictObject({ name: z.string(), fallbackReason: z.string().nullable() }),
  vaults: z.array(
    z.strictObject({
      tenant: z.string(),
      state: z.enum(VAULT_STATES),
      faces: z.number().int(),
      restarts: z.number().int(),
      /** Of the tenant key in use; null while the vault is not open. */
      epoch: z.number().int().nullable(),
      /** Sightings that wait to be told to the control plane, bytes of them, and those that had no room, ever. */
      outbox: z.strictObject({ items: z.number().int(), bytes: z.number().int(), dropped: z.number().int() }),
      /** Of a tenant whose key comes from a KMS; null where there is none. */
      lease: z
        .strictObject({
          enforcement: z.enum(ENFORCEMENTS),
          /** The epoch in which the KMS wants the tenant to be. */
          newest: z.number().int(),
          /** Until it ends, by the vault's own time. */
          leftMs: z.number(),
          /** Error code of why the last try to renew it failed. */
          failure: z.string().nullable(),
        })
        .nullable(),
    }),
  ),
  /** When the last backup was begun; null where none was made. */
  lastBackupAt: z.iso.datetime().nullable(),
  /** To the control plane: whether it is connected, by what, for how long it is so, and why it is not; null on a box that was not enrolled at the start. */
  link: z
    .strictObject({
      connected: z.boolean(),
      by: z.enum(['mqtt', 'https']).nullable(),
      forMs: z.number(),
      problem: z.string().nullable(),
      anchor: z.enum(LOG_ANCHORS),
    })
    .nullable(),
  /** What works and needs somebody all the same: error codes, and the tenant that each is about. */
  warnings: z.array(z.strictObject({ tenant: z.string().nullable(), reason: z.string() })),
});
export type Stats = z.infer<typeof statsSchema>;

export const readySchema = z.strictObject({
  type: z.literal('ready'),
  at: z.iso.datetime(),
  box: z.string(),
  cameras: z.number().int(),
  tenants: z.number().int(),
  /** Where the API is reached. */
  api: z.url(),
});

/** What `securegate edge` writes to stdout: one JSON object a line. */
export const eventSchema = z.discriminatedUnion('type', [sightingSchema, cameraStateSchema, statsSchema, readySchema]);
export type EdgeEvent = z.infer<typeof eventSchema>;
