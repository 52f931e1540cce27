import { z } from 'zod';
import { slugSchema } from '../ids/ids.ts';
import { ulidSchema } from '../ids/ulid.ts';
import { signedSetSchema } from './admin-set.ts';
import { publicKeySchema } from './public-key.ts';

export const RECOVERY_TYPE = 'securegate-recovery+jws';
/** From its making to its end: as long as the longest lease, after which no box has a key to hand over. */
export const MOST_RECOVERY_SECONDS = 30 * 86_400;
/** So many fit into what is signed; for more, another recovery is drafted. */
export const MOST_RECOVERED = 300;

const pem = (what: string): z.ZodString =>
  z
    .string()
    .max(4096)
    .regex(new RegExp(`^-----BEGIN ${what}-----\n`));

/**
 * What the recovery keys of an org sign when its HSM is lost: boxes that still hold the keys of these tenants may hand them over to
 * another HSM, and believe what that one signs from now on. JWS with several signatures (RFC 7515, 7.2.1), as a set of admin keys has them.
 */
export const recoverySchema = z.strictObject({
  /** Counts once for each tenant. */
  id: ulidSchema,
  org: slugSchema,
  iat: z.int(),
  exp: z.int(),
  /** The newest epoch of each: an earlier one is not brought back. */
  tenants: z
    .array(z.strictObject({ tenant: slugSchema, epoch: z.int().min(1) }))
    .min(1)
    .max(MOST_RECOVERED),
  /** Public key (RSA, PEM) whose other half is in that HSM and does not leave it, and the hash of the RSA-OAEP to it. */
  transport: z.strictObject({ key: pem('PUBLIC KEY'), oaepHash: z.enum(['sha1', 'sha256']) }),
  /** By which that HSM signs. */
  keys: z.strictObject({ commands: publicKeySchema, leases: publicKeySchema, audit: publicKeySchema }),
  /** Authorities of boxes that a box is to believe beside those that it knows. */
  authorities: z.array(pem('CERTIFICATE')).max(4),
});
export type Recovery = z.output<typeof recoverySchema>;

export const signedRecoverySchema = signedSetSchema;
export type SignedRecovery = z.output<typeof signedRecoverySchema>;

/** As many are told to a box at a time, the newest: before another one is drafted for further tenants, those of the one before are back. */
export const MOST_TOLD_RECOVERIES = 4;
/** What a box is told after the loss of an HSM. All of it proves itself to whoever has pinned keys of the org, so that it does not matter who tells it. */
export const toldRecoveriesSchema = z.strictObject({
  /** Every set of admin keys as it was signed, the first one first: a box that was away may have pinned an earlier one. */
  admins: z.array(signedSetSchema),
  /** The first one first. */
  recoveries: z.array(signedRecoverySchema).max(MOST_TOLD_RECOVERIES),
});
export type ToldRecoveries = z.output<typeof toldRecoveriesSchema>;
