import { z } from 'zod';
import { idSchema, slugSchema } from '../../shared/ids/ids.ts';
import { sightingSchema } from '../../shared/messages/events.ts';
import { consentSchema } from './consent/consent.ts';
import { profileSchema } from './customer-records.ts';
import { embeddingSchema } from './gallery/embedding.ts';

/**
 * The messages between daemon and vault process. Both sides check what comes in.
 * They travel by structured clone (`serialization: 'advanced'`), so embeddings stay Float32Arrays.
 */

const customerId = idSchema('customer');
const faceId = idSchema('face');
const model = z.string().min(1).max(200);
const quality = z.number().min(0).max(1);
const newFaceSchema = z.strictObject({ embedding: embeddingSchema, model, quality });
const nothing = z.strictObject({});

/** Every operation of the vault: what it takes and what it gives. */
export const OPERATIONS = {
  /** First message of all: whose vault it is and where. It carries no secret; the vault gets the key itself. */
  open: {
    takes: z.strictObject({
      // Any string passes here: the vault refuses a bad id itself, with the code that says so.
      scope: z.strictObject({ org: z.string(), tenant: z.string(), box: z.string() }),
      dataDir: z.string().min(1),
      keyDir: z.string().min(1),
      logLevel: z.string(),
    }),
    gives: nothing,
  },
  close: { takes: nothing, gives: nothing },
  enrolCustomer: {
    takes: z.strictObject({ profile: profileSchema, consent: consentSchema, faces: z.array(newFaceSchema).min(1).max(32) }),
    gives: z.strictObject({ customerId, faceIds: z.array(faceId) }),
  },
  addFace: { takes: z.strictObject({ customerId, face: newFaceSchema }), gives: z.strictObject({ faceId }) },
  recordConsent: { takes: z.strictObject({ customerId, consent: consentSchema }), gives: nothing },
  search: {
    takes: z.strictObject({ embeddings: z.array(embeddingSchema).max(256), model, limit: z.number().int().min(1).max(32) }),
    gives: z.array(z.array(z.strictObject({ customerId, faceId, score: z.number() }))),
  },
  recordSighting: {
    takes: sightingSchema.extend({ id: idSchema('sighting'), tenant: slugSchema, customerId: customerId.nullable() }),
    gives: nothing,
  },
  listSightings: { takes: z.strictObject({ customerId }), gives: z.array(sightingSchema) },
  listCustomers: {
    takes: nothing,
    gives: z.array(z.strictObject({ customerId, name: z.string(), faces: z.number().int(), consent: consentSchema })),
  },
  getCustomer: {
    takes: z.strictObject({ customerId }),
    gives: z.strictObject({
      customerId,
      profile: profileSchema,
      consent: consentSchema,
      faces: z.array(z.strictObject({ faceId, model, quality, enrolledAt: z.iso.datetime() })),
    }),
  },
} as const;

export type Operation = keyof typeof OPERATIONS;
export type Takes<O extends Operation> = z.input<(typeof OPERATIONS)[O]['takes']>;
export type Gives<O extends Operation> = z.output<(typeof OPERATIONS)[O]['gives']>;

/** Daemon to vault. `arguments` is checked by the operation's own schema. */
export const requestSchema = z.strictObject({
  id: z.number().int(),
  operation: z.enum(Object.keys(OPERATIONS) as [Operation, ...Operation[]]),
  arguments: z.unknown(),
});

const errorSchema = z.object({ code: z.string(), message: z.string(), details: z.record(z.string(), z.unknown()) });

/** What the daemon shows of a vault without asking for it: it comes with every reply. */
const figuresSchema = z.strictObject({
  /** Faces that can be candidates. */
  faces: z.number().int(),
  /** Records that did not open. */
  rejected: z.number().int(),
});
export type Figures = z.infer<typeof figuresSchema>;

/** Vault to daemon. `result` is checked by the operation's own schema. */
export const replySchema = z.union([
  z.strictObject({ id: z.number().int(), figures: figuresSchema, result: z.unknown() }),
  z.strictObject({ id: z.number().int(), figures: figuresSchema, error: errorSchema }),
]);
export type Reply = z.input<typeof replySchema>;
