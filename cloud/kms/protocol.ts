import { z } from 'zod';
import { idSchema, slugSchema } from '../../shared/ids/ids.ts';
import { ulidSchema } from '../../shared/ids/ulid.ts';
import { adminSetSchema, signedSetSchema } from '../../shared/lease/admin-set.ts';
import { keyChangesSchema, PINNED_USES } from '../../shared/lease/key-change.ts';
import { bytesSchema, leaseAnswerSchema } from '../../shared/lease/lease-answer.ts';
import { ENFORCEMENTS } from '../../shared/lease/lease-token.ts';
import { publicKeySchema } from '../../shared/lease/public-key.ts';
import { recoverySchema, signedRecoverySchema } from '../../shared/lease/recovery.ts';
import { BOX_STATES } from './epochs/moves.ts';
import { SIGNING_USES } from './hsm/hsm.ts';
import { EPOCH_STATES } from './store/epoch-records.ts';

/**
 * The messages of the KMS: one JSON object a line over a Unix socket or TLS, in both directions. Both sides check what comes in.
 * Bytes are base64url.
 */

/** Longest line, in characters. */
export const MOST_CHARACTERS = 256 * 1024;

/** Messages that are signed by one call. */
export const MOST_SIGNED = 32;

const nothing = z.strictObject({});
const epoch = z.int().min(1).max(0xffffffff);
const tenant = z.strictObject({ org: slugSchema, tenant: slugSchema });
const cell = tenant.extend({ epoch });
const place = tenant.extend({ device: idSchema('box') });
const freeze = tenant.extend({ id: ulidSchema });
const token = z.string().max(8192);
const laterCa = z.templateLiteral(['ca-', z.int().min(2).max(999)]).refine((name) => /^ca-[1-9]\d*$/.test(name));
const use = z.union([z.enum(SIGNING_USES), laterCa]);
const pinnedUse = z.enum(PINNED_USES);
/** Leases are signed where a key is handed out and nowhere else. */
const useToAskFor = z.union([z.enum(SIGNING_USES).exclude(['leases']), laterCa]);
const destruction = z.strictObject({ state: z.enum(['unrecoverable', 'erased']), from: z.int().nullable() });

const holderSchema = z.strictObject({
  device: idSchema('box'),
  /** The weakest of its leases: what that promises is all that can be said. */
  enforcement: z.enum(ENFORCEMENTS),
  /** Milliseconds since the Unix epoch. */
  leaseEndsAt: z.int(),
});

/** What each operation takes and gives. */
export const OPERATIONS = {
  /** Whether the KMS can work, and where its keys really are. */
  status: {
    takes: nothing,
    gives: z.strictObject({
      ready: z.boolean(),
      hsm: z.string(),
      capabilities: z.strictObject({
        wrapInHsm: z.boolean(),
        trustedWrap: z.boolean(),
        oaepHash: z.enum(['sha1', 'sha256']),
        destroyHorizonDays: z.int().nullable(),
      }),
      /** Code of what is wrong. */
      reason: z.string().nullable(),
    }),
  },
  /** What the KMS has written down after a place in its own audit: lines as they stand there. */
  auditSince: {
    takes: z.strictObject({ offset: z.int().min(0) }),
    gives: z.strictObject({ lines: z.array(z.string()), next: z.int() }),
  },
  /** Pins the admin keys of an org, or changes them. */
  pinAdmins: { takes: z.strictObject({ org: slugSchema, signed: signedSetSchema }), gives: z.strictObject({ version: z.int() }) },
  /** The admin keys that count: an org compares them with its own. */
  getAdmins: { takes: z.strictObject({ org: slugSchema }), gives: adminSetSchema },
  /** Every set of them as it was signed, the first one first: a box follows them by itself. */
  signedAdmins: { takes: z.strictObject({ org: slugSchema }), gives: z.array(signedSetSchema) },
  /** Makes the next epoch of a tenant. From the second on, its boxes have to move there. */
  createEpoch: { takes: cell, gives: nothing },
  listEpochs: {
    takes: tenant,
    gives: z.array(
      z.strictObject({
        epoch,
        state: z.enum(EPOCH_STATES),
        /** When the next one was made, to which the boxes then move, milliseconds since the Unix epoch; null where there is none. */
        leftFrom: z.int().nullable(),
        destroyedAt: z.int().nullable(),
      }),
    ),
  },
  /** How far the boxes of a tenant have moved away from an epoch, and what became of it. */
  getMove: {
    takes: cell,
    gives: z.strictObject({
      begunAt: z.int(),
      /** Until when a box that has not moved holds the epoch open, milliseconds since the Unix epoch. */
      deadline: z.int(),
      boxes: z.array(z.strictObject({ device: idSchema('box'), state: z.enum(BOX_STATES) })),
      destruction: destruction.nullable(),
    }),
  },
  /** Boxes that had an epoch and have not said that they left it, and when each was first given the key of a later one. */
  listLostBoxes: { takes: cell, gives: z.array(z.strictObject({ device: idSchema('box'), laterKeyAt: z.int().nullable() })) },
  /** Of all tenants: epochs that no box waits for any more and whose keys are not destroyed; so many that the answer is no longer than a line. */
  listLeft: { takes: nothing, gives: z.array(cell) },
  /** A box says that it has moved (epoch-moved.ts): from here on it gets no key of an earlier epoch. */
  acknowledgeMove: { takes: z.strictObject({ token }), gives: nothing },
  /** Destroys an epoch that no box waits for any more. */
  destroyEpoch: { takes: cell, gives: destruction },
  /** Gives no key of a tenant to anybody until the freeze of this id is ended. */
  freezeTenant: { takes: freeze, gives: z.strictObject({ begunAt: z.int() }) },
  endFreeze: { takes: freeze, gives: nothing },
  /** Every box that could ever get the tenant's keys, and until when it may hold one that it was given before `before`. */
  listHolders: { takes: tenant.extend({ before: z.int() }), gives: z.array(holderSchema) },
  destroyTenant: { takes: tenant, gives: destruction },
  assign: { takes: z.strictObject({ assignment: token }), gives: place.extend({ id: z.string() }) },
  /** Tenants of an org to which a device is assigned. */
  assignedTenants: { takes: place.omit({ tenant: true }), gives: z.array(slugSchema) },
  endAssignment: { takes: place, gives: z.strictObject({ ended: z.boolean() }) },
  denyDevice: { takes: z.strictObject({ device: idSchema('box') }), gives: nothing },
  /** A number for a device to sign in its export request. */
  challenge: { takes: nothing, gives: z.strictObject({ nonce: z.string() }) },
  /** Hands out a tenant key. With an `approval` (offline-approval.ts) the request need not answer a challenge. */
  exportTek: { takes: z.strictObject({ request: token, approval: token.optional() }), gives: leaseAnswerSchema },
  /** The newest key of each tenant of an org that the HSM should have and does not. `isKnown`: it could be taken over. */
  listLostKeys: {
    takes: z.strictObject({ org: slugSchema }),
    gives: z.array(z.strictObject({ tenant: slugSchema, epoch, isKnown: z.boolean() })),
  },
  /** What the recovery keys of an org have to sign, so that boxes hand over what is lost; authorities are added to it. */
  draftRecovery: { takes: z.strictObject({ org: slugSchema }), gives: recoverySchema.omit({ authorities: true }) },
  /** Takes over the key of a tenant that is lost, from a box that holds it (hand-over.ts). */
  takeOver: {
    takes: z.strictObject({ recovery: signedRecoverySchema, handOver: token }),
    gives: cell.extend({ device: idSchema('box') }),
  },
  /** Takes over nothing of an org any more. */
  endRecovery: { takes: z.strictObject({ org: slugSchema }), gives: nothing },
  signingKey: { takes: z.strictObject({ use }), gives: publicKeySchema },
  /** Every key of a use that ever counted, the newest first, and the KMS's words on their changes (key-change.ts). */
  keyHistory: {
    takes: z.strictObject({ use: pinnedUse }),
    gives: z.strictObject({ keys: z.array(publicKeySchema), changes: keyChangesSchema }),
  },
  /** Makes the next key of a use: boxes and auditors follow from the one that they have pinned. */
  changeKey: { takes: z.strictObject({ use: pinnedUse }), gives: publicKeySchema },
  /** A signature for each message, in their order. */
  sign: {
    takes: z.strictObject({ use: useToAskFor, messages: z.array(bytesSchema).min(1).max(MOST_SIGNED) }),
    gives: z.strictObject({ signatures: z.array(bytesSchema) }),
  },
} as const satisfies Record<string, { takes: z.ZodType; gives: z.ZodType }>;

export type Operation = keyof typeof OPERATIONS;
export type Takes<O extends Operation> = z.output<(typeof OPERATIONS)[O]['takes']>;
export type Gives<O extends Operation> = z.output<(typeof OPERATIONS)[O]['gives']>;

/** The schemas of one operation; TypeScript does not see by itself that they belong to its types. */
export function schemasOf<O extends Operation>(operation: O): { takes: z.ZodType<Takes<O>>; gives: z.ZodType<Gives<O>> } {
  return OPERATIONS[operation] as unknown as { takes: z.ZodType<Takes<O>>; gives: z.ZodType<Gives<O>> };
}

export const requestSchema = z.strictObject({
  id: z.int(),
  operation: z.enum(Object.keys(OPERATIONS) as [Operation, ...Operation[]]),
  arguments: z.unknown(),
});

const errorSchema = z.object({ code: z.string(), message: z.string(), details: z.record(z.string(), z.unknown()) });
export const replySchema = z.union([
  z.strictObject({ id: z.int(), result: z.unknown() }),
  z.strictObject({ id: z.int(), error: errorSchema }),
]);
