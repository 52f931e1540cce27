import { randomBytes } from 'node:crypto';
import { gcmEncrypt } from './aes-256-gcm.ts';
import { deriveKeys, type EnvelopeContext, type EnvelopeKey, encodeAad, encodePrefix, SALT_BYTES } from './envelope.ts';
import type { Purpose } from './purposes.ts';

/**
 * Seals a plaintext into an envelope v1 (layout: envelope.ts).
 * The plaintext stays the caller's, who wipes it.
 * @throws {RangeError} when key, purpose and context do not go together: a mistake of the calling code
 */
export function sealEnvelope(
  key: EnvelopeKey,
  purpose: Purpose,
  context: EnvelopeContext,
  plaintext: Uint8Array,
  random: (size: number) => Buffer = randomBytes,
): Buffer {
  const prefix = encodePrefix(key, purpose);
  const salt = random(SALT_BYTES);
  const derived = deriveKeys(key, salt, purpose);
  try {
    const header = Buffer.concat([prefix, salt, derived.commitment]);
    return Buffer.concat([header, gcmEncrypt(derived.key, derived.nonce, encodeAad(header, context), plaintext)]);
  } finally {
    derived.wipe();
  }
}
