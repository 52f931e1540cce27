import { createHash, type KeyObject } from 'node:crypto';

/** By what the key of a box's certificate is known here: SHA-256 of its SubjectPublicKeyInfo (DER), base64url. */
export function keyHash(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
}
