import { createCipheriv, createDecipheriv } from 'node:crypto';

/** Alternative initial value (RFC 5649, section 3). */
const AIV = Buffer.from('a65959a6', 'hex');
const BLOCK = 8;
/** The shortest that wrapping gives: two blocks. */
const LEAST_BYTES = 2 * BLOCK;

/**
 * AES-256 key wrap with padding (RFC 5649).
 * @param key 32 bytes
 * @param plaintext 1 byte at least; stays the caller's
 */
export function keyWrapPad(key: Uint8Array, plaintext: Uint8Array): Buffer {
  const cipher = createCipheriv('id-aes256-wrap-pad', key, AIV);
  return Buffer.concat([cipher.update(plaintext), cipher.final()]);
}

/**
 * Opens what {@link keyWrapPad} made.
 * @returns the plaintext, which the caller owns and wipes, or null when it was not wrapped under this key
 */
export function keyUnwrapPad(key: Uint8Array, wrapped: Uint8Array): Buffer | null {
  // Node opens inputs of no possible length to nothing, and says nothing.
  if (wrapped.length < LEAST_BYTES || wrapped.length % BLOCK !== 0) return null;
  const decipher = createDecipheriv('id-aes256-wrap-pad', key, AIV);
  try {
    const plaintext = decipher.update(wrapped);
    const rest = decipher.final();
    return plaintext.length > 0 && rest.length === 0 ? plaintext : null;
  } catch {
    return null;
  }
}
