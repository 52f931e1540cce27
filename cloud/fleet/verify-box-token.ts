import { createPublicKey } from 'node:crypto';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import type { z } from 'zod';
import { publicKeySchema } from '../../shared/lease/public-key.ts';
import { keyHash } from './pki/key-hash.ts';

export interface BoxTokenOptions<Schema extends z.ZodType> {
  readonly type: string;
  readonly schema: Schema;
  /** Who brought it. */
  readonly device: string;
  /** The box's keys (key-hash.ts). */
  readonly signingKeys: readonly string[];
}

/**
 * Reads what a box says (JWT, RFC 7519, ES256): the key in its header has to be one of the box's. What time it says is not looked at, since
 * the clock of a box may be wrong.
 * @throws what is wrong with it
 */
export async function verifyBoxToken<Schema extends z.ZodType>(
  token: string,
  { type, schema, device, signingKeys }: BoxTokenOptions<Schema>,
): Promise<z.output<Schema>> {
  const key = createPublicKey({ key: publicKeySchema.parse(decodeProtectedHeader(token).jwk), format: 'jwk' });
  if (!signingKeys.includes(keyHash(key))) throw new Error('this is no key of the box');
  const options = { algorithms: ['ES256'], typ: type, audience: 'securegate-cloud', subject: device };
  const { payload } = await jwtVerify(token, key, options);
  return schema.parse(payload);
}
