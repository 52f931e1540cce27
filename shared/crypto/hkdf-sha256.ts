import { createSecretKey, hkdfSync } from 'node:crypto';

/**
 * HKDF with SHA-256 (RFC 5869), extract and expand in one.
 * @param length bytes wanted, at most 255 * 32
 * @returns unpooled bytes that the caller owns and wipes
 */
export function hkdfSha256(key: Uint8Array, salt: Uint8Array, info: string | Uint8Array, length: number): Buffer {
  // Given bare bytes, Node looks by a thrown error whether they are a key object, which takes as long as the derivation.
  return Buffer.from(hkdfSync('sha256', createSecretKey(key), salt, info, length));
}
