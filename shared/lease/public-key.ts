import { createPublicKey } from 'node:crypto';
import { z } from 'zod';

const coordinate = z.string().regex(/^[\w-]{43}$/);

/** A public key on P-256 as a JWK (RFC 7517), with nothing in it beyond the key. */
export const publicKeySchema = z
  .strictObject({ kty: z.literal('EC'), crv: z.literal('P-256'), x: coordinate, y: coordinate })
  .refine(isOnCurve, { error: 'not a point of P-256' });
export type PublicKey = z.output<typeof publicKeySchema>;

function isOnCurve(jwk: { kty: string; crv: string; x: string; y: string }): boolean {
  try {
    createPublicKey({ key: jwk, format: 'jwk' });
    return true;
  } catch {
    return false;
  }
}
