import { calculateJwkThumbprint, compactVerify, decodeProtectedHeader, importJWK } from 'jose';
import type { PublicKey } from '../../shared/lease/public-key.ts';

/**
 * Checks that a word (JWT, RFC 7519, ES256) was signed by a key that this box has pinned, which the header names by its thumbprint (RFC 7638).
 * @returns its claims, of which nothing is looked at
 * @throws Error, of any kind, where it does not hold
 */
export async function verifySigned(token: string, type: string, keys: readonly PublicKey[]): Promise<unknown> {
  const { kid } = decodeProtectedHeader(token);
  const thumbprints = await Promise.all(keys.map((key) => calculateJwkThumbprint(key)));
  const key = keys[thumbprints.indexOf(kid ?? '')];
  if (key === undefined) throw new Error('no key of this name is pinned');
  const { payload, protectedHeader } = await compactVerify(token, await importJWK(key, 'ES256'), { algorithms: ['ES256'] });
  if (protectedHeader.typ !== type) throw new Error('it is of another type');
  return JSON.parse(Buffer.from(payload).toString('utf8')) as unknown;
}
