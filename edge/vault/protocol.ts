import { z } from 'zod';
import { removedSchema } from '../../shared/fleet/ack.ts';
import { MOST_SIGHTINGS, sightingReportSchema } from '../../shared/fleet/sighting-batch.ts';
import { MOST_USAGE_DAYS, usageDaySchema } from '../../shared/fleet/usage-batch.ts';
import { idSchema, slugSchema } from '../../shared/ids/ids.ts';
import { leaseAnswerSchema } from '../../shared/lease/lease-answer.ts';
import { leaseClaimsSchema } from '../../shared/lease/lease-token.ts';
import { signedRecoverySchema } from '../../shared/lease/recovery.ts';
import { stickRequestSchema } from '../../shared/lease/stick.ts';
import { sightingSchema } from '../../shared/messages/events.ts';
import { CONSENT_STATES, consentSchema } from './consent/consent.ts';
import { cursorSchema } from './cursor.ts';
import { profileChangeSchema, profileSchema } from './customers/profile.ts';
import { boxStateSchema } from './erasures/box-state.ts';
import { embeddingSchema } from './gallery/embedding.ts';

/**
 * The messages between daemon and vault process. Both sides check what comes in.
 * They travel by structured clone (channel/), so embeddings stay Float32Arrays.
 */

const customerId = idSchema('customer');
const faceId = idSchema('face');
const recordId = idSchema('record');
const model = z.string().min(1).max(200);
const quality = z.number().min(0).max(1);
const nothing = z.strictObject({});

/** Longest JSON of a record, bytes. */
const MAX_RECORD_BYTES = 64 * 1024;
/** Names that are asked for at once: more than a page lists, or than stand before the cameras of a box. */
const MAX_NAMES = 1024;
/** Customers who are erased in one go: each can mean another key for another shard, and the vault answers nobody meanwhile. */
const MAX_ERASED = 50;
/** Largest picture of an aligned face, bytes. */
const MAX_PICTURE_BYTES = 256 * 1024;
/** Start of image, and the first byte of the marker that follows. */
const JPEG_START = Buffer.from([0xff, 0xd8, 0xff]);

const pictureSchema = z
  .custom<Buffer>(Buffer.isBuffer, { error: 'not a Buffer', abort: true })
  .refine((bytes) => bytes.length <= MAX_PICTURE_BYTES, { error: `more than ${MAX_PICTURE_BYTES} bytes` })
  .refine((bytes) => bytes.subarray(0, JPEG_START.length).equals(JPEG_START), { error: 'not a JPEG' });

/** `picture`: JPEG of the aligned face. `faceId`: the vault chooses one unless said, as it does for customers and records. */
const newFaceSchema = z.strictObject({
  faceId: faceId.optional(),
  embedding: embeddingSchema,
  model,
  quality,
  picture: pictureSchema.optional(),
});

/** A customer as the daemon may show him. `version` is another after every change of the customer, his consent or his faces. */
const customerViewSchema = z.strictObject({
  customerId,
  name: z.string(),
  contact: z.string().nullable(),
  /** The newest one; what became of it says `consentState`. */
  consent: consentSchema,
  consentState: z.enum(CONSENT_STATES),
  faces: z.number().int(),
  version: z.number().int(),
});

const storedFaceSchema = z.strictObject({ faceId, model, quality, enrolledAt: z.iso.datetime(), hasPicture: z.boolean() });

/** Lists are read page by page: `next` of one answer is the `cursor` of the following request, null at the end. */
const pageQuery = z.strictObject({ cursor: cursorSchema.optional(), limit: z.number().int().min(1).max(200) });
function pageOf<Item extends z.ZodType>(item: Item) {
  return z.strictObject({ items: z.array(item), next: cursorSchema.nullable() });
}

/** Which kind of record: the caller's word for it. */
const kind = z.string().regex(/^[a-z][a-z-]{0,31}$/);
/** Records travel as the JSON text that is stored. */
const json = z.string().refine((text) => Buffer.byteLength(text) <= MAX_RECORD_BYTES, { error: `more than ${MAX_RECORD_BYTES} bytes` });
const version = z.number().int().min(1);
const recordRef = z.strictObject({ kind, id: recordId });
const recordSchema = z.strictObject({ id: recordId, version, customerId: customerId.nullable(), json: z.string() });

/** How a vault gets its tenant's key under a lease. */
const leaseSettingsSchema = z.strictObject({
  /** File that has the public keys by which the KMS signs leases: a JWK Set, or what an enrolled box keeps of its control plane. */
  kmsKeys: z.union([z.strictObject({ keySet: z.string().min(1) }), z.strictObject({ enrolment: z.string().min(1) })]),
  /** Without a TPM, leases that it is to keep are refused. `deviceKeys`: where the keys are by which the KMS knows this box. */
  tpm: z.strictObject({ tcti: z.string().min(1), pcrs: z.string().min(1).optional(), deviceKeys: z.enum(['file', 'tpm']) }).optional(),
});
export type LeaseSettings = z.infer<typeof leaseSettingsSchema>;

/** What may wait for the control plane. */
const outboxSettingsSchema = z.strictObject({ bytes: z.int().min(1), whenFull: z.enum(['drop-oldest', 'drop-newest']) });
export type OutboxSettings = z.infer<typeof outboxSettingsSchema>;

/** Milliseconds since the Unix epoch, of the vault's own trusted time. */
const leaseViewSchema = leaseClaimsSchema
  .pick({ epoch: true, newest: true, enforcement: true })
  .extend({ issuedAt: z.int(), endsAt: z.int(), leftMs: z.int() });
export type LeaseView = z.infer<typeof leaseViewSchema>;

/** Exit code of a vault whose lease has ended. */
export const LEASE_ENDED_EXIT = 75;

const epoch = z.number().int().min(1);

const erasureSchema = z.strictObject({
  customerId,
  erasedAt: z.iso.datetime(),
  /** The last epoch whose tenant key may open a copy that still had his key. 0: erased by an earlier version, and his shard still waits for another key. */
  epoch: z.number().int().min(0),
  /** Whether this box has another tenant key by now. */
  keyReplaced: z.boolean(),
  /** Of the backups, too: see Erasures. */
  state: z.enum(['erased', 'unrecoverable']),
  /** When, as far as the KMS has said so. */
  unrecoverableFrom: z.iso.datetime().nullable(),
  boxes: z.array(boxStateSchema),
});

/** One of the two databases of a vault. */
const file = z.enum(['data', 'keyring']);

const counters = z.record(z.string(), z.number().int());

const placeSchema = z.strictObject({
  // Any string passes here: the vault refuses a bad id itself, with the code that says so.
  scope: z.strictObject({ org: z.string(), tenant: z.string(), box: z.string() }),
  dataDir: z.string().min(1),
  keyDir: z.string().min(1),
  /** The key comes under a lease; without this, from its file in `keyDir`. */
  lease: leaseSettingsSchema.optional(),
  /** The control plane hears what is seen here; without this, nobody does. */
  outbox: outboxSettingsSchema.optional(),
  logLevel: z.string(),
});

/** Every operation of the vault: what it takes and what it gives. */
export const OPERATIONS = {
  /** First message of all: whose vault it is and where. It carries no secret; the vault gets the key itself. */
  open: {
    takes: placeSchema,
    gives: nothing,
  },
  close: { takes: nothing, gives: nothing },
  /** In place of `open`: what there is to remove of a tenant, and its removal. */
  countTraces: { takes: placeSchema, gives: removedSchema },
  shred: { takes: placeSchema, gives: nothing },

  /** Also answered by a vault that is not open for want of a lease. */
  requestLease: {
    takes: z.strictObject({ nonce: leaseClaimsSchema.shape.nonce, epoch: leaseClaimsSchema.shape.epoch.optional() }),
    gives: z.strictObject({ request: z.string() }),
  },
  requestOnStick: { takes: nothing, gives: stickRequestSchema },
  /** Opens the vault, unless it is open. */
  acceptLease: { takes: z.strictObject({ answer: leaseAnswerSchema }), gives: leaseViewSchema },
  getLease: { takes: nothing, gives: z.strictObject({ lease: leaseViewSchema.nullable() }) },
  forgetLease: { takes: nothing, gives: nothing },
  /** What the box says to the KMS when its files are in an epoch and in none before it. */
  sayMoved: { takes: nothing, gives: z.strictObject({ token: z.string() }) },

  /** The tenant's key for another HSM, as the recovery keys of the org have signed it. */
  handOver: { takes: z.strictObject({ recovery: signedRecoverySchema }), gives: z.strictObject({ token: z.string() }) },

  enrolCustomer: {
    takes: z.strictObject({
      customerId: customerId.optional(),
      profile: profileSchema,
      consent: consentSchema,
      faces: z.array(newFaceSchema).max(32),
    }),
    gives: z.strictObject({ customerId, faceIds: z.array(faceId) }),
  },
  listCustomers: { takes: pageQuery.extend({ query: z.string().max(200).optional() }), gives: pageOf(customerViewSchema) },
  getCustomer: { takes: z.strictObject({ customerId }), gives: customerViewSchema.extend({ faceList: z.array(storedFaceSchema) }) },
  customerNames: {
    takes: z.strictObject({ customerIds: z.array(customerId).max(MAX_NAMES) }),
    gives: z.array(z.strictObject({ customerId, name: z.string() })),
  },
  changeProfile: {
    takes: z.strictObject({ customerId, change: profileChangeSchema, version: version.optional() }),
    gives: customerViewSchema,
  },
  recordConsent: { takes: z.strictObject({ customerId, consent: consentSchema }), gives: nothing },
  withdrawConsent: { takes: z.strictObject({ customerId }), gives: nothing },
  removeCustomer: { takes: z.strictObject({ customerId, version: version.optional() }), gives: nothing },

  eraseCustomers: { takes: z.strictObject({ customerIds: z.array(customerId).min(1).max(MAX_ERASED) }), gives: z.array(erasureSchema) },
  listErasures: { takes: pageQuery, gives: pageOf(erasureSchema) },
  moveEpoch: {
    takes: z.strictObject({ erasedBefore: z.iso.datetime().optional() }),
    gives: z.strictObject({ epoch, moved: z.boolean() }),
  },
  /** The KMS's word that the tenant keys of this epoch and of every one before it are destroyed. */
  recordReceipt: {
    takes: z.strictObject({ epoch, unrecoverableFrom: z.iso.datetime().nullable(), boxes: z.array(boxStateSchema) }),
    gives: nothing,
  },

  addFace: { takes: z.strictObject({ customerId, face: newFaceSchema }), gives: z.strictObject({ faceId }) },
  removeFace: { takes: z.strictObject({ customerId, faceId }), gives: nothing },
  facePicture: { takes: z.strictObject({ customerId, faceId }), gives: pictureSchema },
  search: {
    takes: z.strictObject({ embeddings: z.array(embeddingSchema).max(256), model, limit: z.number().int().min(1).max(32) }),
    gives: z.array(z.array(z.strictObject({ customerId, faceId, score: z.number() }))),
  },
  verify: { takes: z.strictObject({ customerId, embedding: embeddingSchema, model }), gives: z.strictObject({ score: z.number() }) },

  recordSighting: {
    takes: sightingSchema.extend({ id: idSchema('sighting'), tenant: slugSchema, customerId: customerId.nullable() }),
    gives: nothing,
  },
  listSightings: {
    takes: pageQuery.extend({
      camera: slugSchema.optional(),
      outcome: sightingSchema.shape.outcome.optional(),
      customerId: customerId.optional(),
      from: z.iso.datetime().optional(),
      to: z.iso.datetime().optional(),
    }),
    gives: pageOf(sightingSchema),
  },
  keepSightings: { takes: z.strictObject({ days: z.number().int().min(1) }), gives: nothing },

  addRecord: {
    takes: z.strictObject({ kind, id: recordId.optional(), json, customerId: customerId.optional() }),
    gives: z.strictObject({ id: recordId, version }),
  },
  getRecord: { takes: recordRef, gives: recordSchema },
  listRecords: { takes: pageQuery.extend({ kind }), gives: pageOf(recordSchema) },
  changeRecord: {
    takes: recordRef.extend({ json, version: version.optional(), customerId: customerId.optional() }),
    gives: z.strictObject({ id: recordId, version }),
  },
  removeRecord: { takes: recordRef.extend({ version: version.optional() }), gives: nothing },

  count: {
    takes: z.strictObject({ counter: z.string().regex(/^[a-z][a-z0-9_.-]{0,63}$/), by: z.number().int().min(1).max(1_000_000_000) }),
    gives: nothing,
  },
  usage: {
    takes: z.strictObject({ from: z.iso.date(), to: z.iso.date() }),
    gives: z.array(z.strictObject({ day: z.iso.date(), counters })),
  },

  untoldSightings: {
    takes: z.strictObject({ bytes: z.int().min(1) }),
    gives: z.array(sightingReportSchema),
  },
  toldSightings: { takes: z.strictObject({ ids: z.array(idSchema('sighting')).max(MOST_SIGHTINGS) }), gives: nothing },
  untoldUsage: { takes: nothing, gives: z.array(usageDaySchema) },
  toldUsage: { takes: z.strictObject({ days: z.array(usageDaySchema).max(MOST_USAGE_DAYS) }), gives: nothing },

  holdFile: { takes: z.strictObject({ file }), gives: nothing },
  releaseFile: { takes: z.strictObject({ file }), gives: z.strictObject({ unchanged: z.boolean() }) },
  examine: {
    takes: nothing,
    gives: z.strictObject({
      customers: z.number().int(),
      erased: z.number().int(),
      keyless: z.number().int(),
      opened: z.number().int(),
      damaged: z.number().int(),
    }),
  },
} as const;

export type Operation = keyof typeof OPERATIONS;
export type Takes<O extends Operation> = z.input<(typeof OPERATIONS)[O]['takes']>;
/** What the vault itself gets: the arguments as checked. */
export type Taken<O extends Operation> = z.output<(typeof OPERATIONS)[O]['takes']>;
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
  /** Whether the disk took the last thing that was to be written. */
  writable: z.boolean(),
  /** Sightings that wait to be told to the control plane, and those that had no room, ever. */
  outbox: z.strictObject({ items: z.int(), bytes: z.int(), dropped: z.int() }),
  /** Changes of the keyring since the vault was opened. */
  keyringChanges: z.number().int(),
  /** Those of them by which something was taken away. */
  keyringLosses: z.number().int(),
  /** Of the tenant key in use; null while the vault is not open. */
  epoch: epoch.nullable(),
  /** The lease under which the vault has its key. */
  lease: leaseViewSchema.nullable(),
});
export type Figures = z.infer<typeof figuresSchema>;

/** Vault to daemon. `result` is checked by the operation's own schema. */
export const replySchema = z.union([
  z.strictObject({ id: z.number().int(), figures: figuresSchema, result: z.unknown() }),
  z.strictObject({ id: z.number().int(), figures: figuresSchema, error: errorSchema }),
]);
export type Reply = z.input<typeof replySchema>;
