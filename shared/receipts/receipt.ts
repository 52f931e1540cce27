import { z } from 'zod';
import { LONGEST_PROOF } from '../audit/follow-log.ts';
import { hashSchema, logTokenSchema } from '../audit/log-tokens.ts';
import { removedSchema } from '../fleet/ack.ts';
import { idSchema, principalIdSchema, slugSchema } from '../ids/ids.ts';
import { ulidSchema } from '../ids/ulid.ts';
import { ENFORCEMENTS } from '../lease/lease-token.ts';
import { BOX_STATES, REASONS } from './state-of-box.ts';
import { ERASURE_REASONS } from './state-of-erasure.ts';

export const RECEIPT_TYPE = 'securegate-receipt+jwt';

const time = z.iso.datetime();
const sha256 = z.string().regex(/^[\w-]{43}$/);
const token = z
  .string()
  .regex(/^[\w-]+\.[\w-]+\.[\w-]+$/)
  .max(65_536);

/** A box's own word that it has done its part. */
const wordSchema = z.strictObject({
  /** SHA-256 of what it signed, base64url. */
  digest: sha256,
  /** SHA-256 of the public key (SubjectPublicKeyInfo) of its certificate, base64url. */
  key: sha256,
  command: ulidSchema,
  at: time,
  removed: removedSchema.nullable(),
});

const common = {
  /** Of the receipt; the first had none. */
  version: z.literal(2).optional(),
  aud: z.literal('securegate-receipt'),
  iat: z.int(),
  org: slugSchema,
  tenant: slugSchema,
  requestedBy: principalIdSchema,
  requestedAt: time,
};

const shredStatementSchema = z.strictObject({
  ...common,
  kind: z.literal('shred'),
  /** Of the shred. */
  jti: ulidSchema,
  approvals: z.array(z.strictObject({ by: principalIdSchema, at: time })),
  frozenAt: time.nullable(),
  destroyedAt: time.nullable(),
  /** When no backup of the HSM has the keys any more; null where nobody can promise that. */
  unrecoverableFrom: time.nullable(),
  boxes: z.array(
    z.strictObject({
      device: idSchema('box'),
      state: z.enum(BOX_STATES),
      unrecoverableFrom: time.nullable(),
      because: z.enum(REASONS).nullable(),
      enforcement: z.enum(ENFORCEMENTS),
      leaseEndsAt: time,
      word: wordSchema.nullable(),
    }),
  ),
});

const erasureStatementSchema = z.strictObject({
  ...common,
  kind: z.literal('erasure'),
  /** Of the erasure. */
  jti: ulidSchema,
  customers: z.array(idSchema('customer')),
  /** The tenant's keys, the first one first: an older copy of a box opens with those that were made before it erased somebody. */
  epochs: z.array(
    z.strictObject({ epoch: z.int(), leftFrom: time.nullable(), destroyedAt: time.nullable(), unrecoverableFrom: time.nullable() }),
  ),
  boxes: z.array(
    z.strictObject({
      device: idSchema('box'),
      state: z.enum(BOX_STATES),
      unrecoverableFrom: time.nullable(),
      /** This and the next are since version 2. */
      because: z.enum(ERASURE_REASONS).nullable().optional(),
      /** That the keys of its files are gone, without its word: it never said that it had left this epoch. */
      lost: z.strictObject({ epoch: z.int(), laterKeyAt: time.nullable() }).nullable().optional(),
      enforcement: z.enum(ENFORCEMENTS),
      leaseEndsAt: time,
      word: wordSchema.nullable(),
    }),
  ),
});

/** What the control plane says of a shred or an erasure (JWT, RFC 7519, ES256 by the HSM's key for the audit), as of the time that it names. */
export const statementSchema = z.discriminatedUnion('kind', [shredStatementSchema, erasureStatementSchema]);
export type Statement = z.output<typeof statementSchema>;

/** Where in the log something is. */
const place = {
  /** With which the entry of the log was made its leaf, base64url. */
  salt: sha256,
  /** Milliseconds since the Unix epoch. */
  loggedAt: z.int().min(0),
  /** Its place in the log, and that it is there (RFC 6962, base64url). */
  leaf: z.int().min(0),
  proof: z.array(hashSchema).max(LONGEST_PROOF),
};
const placeSchema = z.strictObject(place);
export type LogPlace = z.output<typeof placeSchema>;

/** What a box signed, and the proof that it is in the log of the control plane. */
const loggedWordSchema = z.strictObject({ token, receipt: ulidSchema, ...place });
export type LoggedWord = z.output<typeof loggedWordSchema>;

/** The KMS's own word that it has destroyed keys in the HSM, and the proof that it is in the log. */
const loggedDestructionSchema = z.strictObject({
  /** Null: all that the tenant ever had. */
  epoch: z.int().nullable(),
  /** By the clock of the KMS, milliseconds since the Unix epoch. */
  at: z.int().min(0),
  call: z.string().regex(/^[0-9a-f]{1,64}$/),
  /** SHA-256 of the line of its audit, base64url. */
  evidence: sha256,
  ...place,
});
export type LoggedDestruction = z.output<typeof loggedDestructionSchema>;

const parts = {
  statement: token,
  words: z.array(loggedWordSchema).max(100_000),
  /** Signed head of the log, over all that is in the receipt. */
  head: logTokenSchema,
};
const firstReceiptSchema = z.strictObject({ version: z.literal(1), ...parts });
const provedReceiptSchema = z.strictObject({
  version: z.literal(2),
  ...parts,
  /** That the statement itself is in the log. */
  issued: placeSchema,
  destructions: z.array(loggedDestructionSchema).max(100_000),
});
export type ProvedReceipt = z.output<typeof provedReceiptSchema>;

/**
 * What somebody who asked gets to keep: the statement, what each box signed, and what the KMS said of the keys. It proves itself without
 * asking anybody. In the first version it was the control plane's word alone that the keys are destroyed: those that were given then still hold.
 */
export const deletionReceiptSchema = z.discriminatedUnion('version', [firstReceiptSchema, provedReceiptSchema]);
export type DeletionReceipt = z.output<typeof deletionReceiptSchema>;
