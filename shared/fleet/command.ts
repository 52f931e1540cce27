import { z } from 'zod';
import { idSchema, slugSchema } from '../ids/ids.ts';
import { ulidSchema } from '../ids/ulid.ts';

export const COMMAND_TYPE = 'securegate-command+jwt';

/** Customers who are erased by one command: as many as a vault erases in one go. */
export const MOST_ERASED = 50;

const ofTenant = z.strictObject({ tenant: slugSchema });
const nothing = z.strictObject({});

/**
 * Everything that a box can be told to do.
 * `urgent`: it counts whenever it comes, before everything else that waits; it never expires.
 * `repeatable`: done twice it comes to the same; what is not, is never begun again after a crash.
 * `ofFlow`: it belongs to something larger that several people decided; nobody gives or cancels it by itself.
 */
export const COMMANDS = {
  /** Ask for a new lease of a tenant now, also after it was revoked. */
  'renew-lease': { body: ofTenant, urgent: false, repeatable: true, ofFlow: false },
  /** Say hello again, with all that it tells. */
  sync: { body: nothing, urgent: false, repeatable: true, ofFlow: false },
  /** End the process of a tenant's vault and start it anew. */
  'restart-tenant': { body: ofTenant, urgent: false, repeatable: false, ofFlow: false },
  /** Forget a tenant's key and close the tenant, until it is renewed. */
  'revoke-lease': { body: ofTenant, urgent: true, repeatable: true, ofFlow: false },
  /** Remove everything of a tenant, for ever. */
  'shred-tenant': {
    body: ofTenant.extend({ org: slugSchema, shred: ulidSchema }),
    urgent: true,
    repeatable: true,
    ofFlow: true,
  },
  /** Remove customers of a tenant; those whom this box does not know are none of its business. */
  'erase-customers': {
    body: ofTenant.extend({ erasure: ulidSchema, customers: z.array(idSchema('customer')).min(1).max(MOST_ERASED) }),
    urgent: true,
    repeatable: true,
    ofFlow: true,
  },
} as const satisfies Record<string, { body: z.ZodType; urgent: boolean; repeatable: boolean; ofFlow: boolean }>;

export type CommandKind = keyof typeof COMMANDS;
export const COMMAND_KINDS = Object.keys(COMMANDS) as [CommandKind, ...CommandKind[]];
/** Those that somebody can give by itself. */
export const KINDS_TO_GIVE = COMMAND_KINDS.filter((kind) => !COMMANDS[kind].ofFlow);
export type CommandBody<Kind extends CommandKind> = z.output<(typeof COMMANDS)[Kind]['body']>;

type OrderSchema = {
  [Kind in CommandKind]: z.ZodObject<{ kind: z.ZodLiteral<Kind>; body: (typeof COMMANDS)[Kind]['body'] }, z.core.$strict>;
}[CommandKind];

function orderOf(kinds: readonly CommandKind[]) {
  return z.discriminatedUnion(
    'kind',
    kinds.map((kind) => z.strictObject({ kind: z.literal(kind), body: COMMANDS[kind].body })) as unknown as [OrderSchema, ...OrderSchema[]],
  );
}

/** A kind of command with the body that belongs to it. */
export const orderSchema = orderOf(COMMAND_KINDS).meta({ id: 'Order' });
export type Order = z.output<typeof orderSchema>;

/** What somebody can tell a box to do by itself. */
export const orderToGiveSchema = orderOf(KINDS_TO_GIVE).meta({ id: 'OrderToGive' });

/** Numbers that a box must be able to compare for ever. */
const count = z.int().min(1).max(0x7fffffff);

/** Place of a command among those of its box. A later incarnation of the ledger comes after every sequence of an earlier one. */
export const pairSchema = z.strictObject({ incarnation: count, sequence: count });
export type Pair = z.output<typeof pairSchema>;

/** @returns negative where `one` comes before `other` */
export function comparePairs(one: Pair, other: Pair): number {
  return one.incarnation - other.incarnation || one.sequence - other.sequence;
}

/**
 * What the control plane says by a command (JWT, RFC 7519, ES256 by the HSM's key for commands). The order inside is looked at when all else
 * holds: a box refuses, by a signed word, what it does not know.
 */
export const commandClaimsSchema = z.strictObject({
  aud: z.literal('securegate-box'),
  /** The device. */
  sub: idSchema('box'),
  jti: ulidSchema,
  iat: z.int(),
  /** Not of an urgent one. */
  pair: pairSchema.optional(),
  nbf: z.int().optional(),
  /** Not of an urgent one. */
  exp: z.int().optional(),
  order: z.looseObject({ kind: z.string().max(64) }),
});
export type CommandClaims = z.output<typeof commandClaimsSchema>;
