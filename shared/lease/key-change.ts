import { z } from 'zod';
import { publicKeySchema } from './public-key.ts';

/** What the keys are for by which a KMS signs and which boxes have pinned, each use for itself. */
export const PINNED_USES = ['commands', 'leases', 'audit'] as const;
export type PinnedUse = (typeof PINNED_USES)[number];

/**
 * The KMS's word that another key counts from now on for what it signs: a JWT (RFC 7519), ES256 by the key that counted until then, which the header names
 * by its thumbprint (RFC 7638).
 */
export const KEY_CHANGE_TYPE = 'securegate-key-change+jwt';
export const keyChangeSchema = z.strictObject({ use: z.enum(PINNED_USES), key: publicKeySchema, iat: z.int() });
export type KeyChange = z.output<typeof keyChangeSchema>;

/** All changes of one KMS fit in: one a year, and more. */
const MOST_CHANGES = 64;
/** Words on changes of keys, the first one first. */
export const keyChangesSchema = z
  .array(
    z
      .string()
      .max(1024)
      .regex(/^[\w-]+\.[\w-]+\.[\w-]+$/),
  )
  .max(MOST_CHANGES);
