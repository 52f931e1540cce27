import { calculateJwkThumbprint, type FlattenedJWSInput, flattenedVerify, importJWK } from 'jose';
import type { Quorum, SignedSet } from './admin-set.ts';

/** Whether enough of the keys have signed (JWS, RFC 7515, ES256), each counted once. @param type of what they have signed */
export async function isSignedByQuorum({ payload, signatures }: SignedSet, type: string, { keys, quorum }: Quorum): Promise<boolean> {
  let signed = 0;
  for (const key of keys) {
    const bySome = await Promise.all(signatures.map((signature) => isSigned({ payload, ...signature }, type, key)));
    if (bySome.includes(true)) signed += 1;
  }
  return signed >= quorum;
}

async function isSigned(jws: FlattenedJWSInput, type: string, key: Quorum['keys'][number]): Promise<boolean> {
  try {
    const { protectedHeader } = await flattenedVerify(jws, await importJWK(key, 'ES256'), { algorithms: ['ES256'] });
    return protectedHeader?.typ === type && protectedHeader.kid === (await calculateJwkThumbprint(key));
  } catch {
    return false;
  }
}
