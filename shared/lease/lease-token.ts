import { z } from 'zod';
import { idSchema, slugSchema } from '../ids/ids.ts';

export const LEASE_TYPE = 'securegate-lease+jwt';

/**
 * How a box holds a tenant's key between leases. `memory`: nowhere but in memory, so that power off ends the lease. `tpm`: sealed by
 * the box's TPM, so that a copied or older disk opens nothing. `software`: in a file, which protects against nobody who has the disk.
 */
export const ENFORCEMENTS = ['memory', 'tpm', 'software'] as const;
export type Enforcement = (typeof ENFORCEMENTS)[number];

/** Longest lease that an org can choose. */
export const MOST_LEASE_SECONDS = 30 * 86_400;
export const DEFAULT_LEASE_SECONDS = 86_400;
const LEAST_LEASE_SECONDS = 60;

/** The leases that an org wants for one of its boxes: how long, which is also how long a stolen one stays open, and how strictly. */
export const leaseTermsSchema = z.strictObject({
  seconds: z.int().min(LEAST_LEASE_SECONDS).max(MOST_LEASE_SECONDS),
  enforcement: z.enum(ENFORCEMENTS),
});
export type LeaseTerms = z.output<typeof leaseTermsSchema>;

/**
 * What the KMS says with a tenant's key (JWT, RFC 7519, ES256 by its key for leases): until when this box may use it, and how it may
 * keep it. `nonce` is that of the box's request, so `iat` is also the one time that a box believes although it is earlier than its own.
 */
export const leaseClaimsSchema = z.strictObject({
  aud: z.literal('securegate-box'),
  /** The device. */
  sub: idSchema('box'),
  org: slugSchema,
  tenant: slugSchema,
  epoch: z.int().min(1),
  /** The tenant's newest epoch: where it is a later one, the box has to move there. */
  newest: z.int().min(1),
  nonce: z.string().regex(/^[\w-]{43}$/),
  iat: z.int(),
  exp: z.int(),
  enforcement: z.enum(ENFORCEMENTS),
  /** SHA-256 of the sealed key that it comes with, base64url: HPKE tells nobody who sealed, so that somebody on the way could put in a key of his own. */
  sealed: z.string().regex(/^[\w-]{43}$/),
});
export type LeaseClaims = z.output<typeof leaseClaimsSchema>;
