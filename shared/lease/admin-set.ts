import { z } from 'zod';
import { slugSchema } from '../ids/ids.ts';
import { publicKeySchema } from './public-key.ts';

const MOST_KEYS = 32;

/** Keys of which a number has to sign together. */
const quorumSchema = z
  .strictObject({ keys: z.array(publicKeySchema).min(1).max(MOST_KEYS), quorum: z.int().min(1) })
  .refine(({ keys, quorum }) => quorum <= keys.length, { error: 'the quorum is larger than the number of keys' })
  .refine(({ keys }) => new Set(keys.map(({ x, y }) => x + y)).size === keys.length, { error: 'a key occurs twice' });
export type Quorum = z.output<typeof quorumSchema>;

/**
 * The keys that count for an org. Each admin key alone signs assignments; to change the set takes a quorum of the admins, or of
 * the recovery keys, which lie in a safe.
 */
export const adminSetSchema = z.strictObject({
  org: slugSchema,
  /** 1 for the first, then one more each time. */
  version: z.int().min(1),
  admins: quorumSchema,
  recovery: quorumSchema,
});
export type AdminSet = z.output<typeof adminSetSchema>;

/** JWS JSON serialisation with several signatures (RFC 7515, 7.2.1). */
export const signedSetSchema = z.strictObject({
  payload: z.string().max(64 * 1024),
  signatures: z
    .array(z.strictObject({ protected: z.string().max(1024), signature: z.string().max(256) }))
    .min(1)
    .max(64),
});
export type SignedSet = z.output<typeof signedSetSchema>;

export const ADMIN_SET_TYPE = 'securegate-admins+jws';
