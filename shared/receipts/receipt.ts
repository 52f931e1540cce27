import { z } from 'zod';
import { LONGEST_PROOF } from '../audit/follow-log.ts';
import { hashSchema, logTokenSchema } from '../audit/log-tokens.ts';
import { removedSchema } from '../fleet/ack.ts';
import { idSchema, principalIdSchema, slugSchema } from '../ids/ids.ts';
import { ulidSchema } from '../ids/ulid.ts';
import { ENFORCEMENTS } from '../lease/lease-token.ts';
import { BOX_STATES, REASONS } from './state-of-box.ts';

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
      enforcement: z.enum(ENFORCEMENTS),
      leaseEndsAt: time,
      word: wordSchema.nullable(),
    }),
  ),
});

/** What the control plane says of a shred or an erasure (JWT, RFC 7519, ES256 by the HSM's key for the audit), as of the time that it names. */
export const statementSchema = z.discriminatedUnion('kind', [shredStatementSchema, erasureStatementSchema]);
export type Statement = z.output<typeof statementSchema>;

/** What a box signed, and the proof that it is in the log of the control plane. */
const loggedWordSchema = z.strictObject({
  token,
  receipt: ulidSchema,
  /** With which the entry of the log was made its leaf, base64url. */
  salt: sha256,
  /** Milliseconds since the Unix epoch. */
  loggedAt: z.int().min(0),
  /** Its place in the log, and that it is there (RFC 6962, base64url). */
  leaf: z.int().min(0),
  proof: z.array(hashSchema).max(LONGEST_PROOF),
});
export type LoggedWord = z.output<typeof loggedWordSchema>;

/** What somebody who asked gets to keep: the statement, and what each box signed. It proves itself without asking anybody. */
export const deletionReceiptSchema = z.strictObject({
  version: z.literal(1),
  statement: token,
  words: z.array(loggedWordSchema).max(100_000),
  /** Signed head of the log, over all of these words. */
  head: logTokenSchema,
});
export type DeletionReceipt = z.output<typeof deletionReceiptSchema>;
