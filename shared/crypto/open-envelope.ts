import { timingSafeEqual } from 'node:crypto';
import { SecureGateError } from '../errors/securegate-error.ts';
import { GCM_TAG_BYTES, gcmDecrypt } from './aes-256-gcm.ts';
import { COMMITMENT_BYTES, deriveKeys, type EnvelopeContext, type EnvelopeKey, encodeAad, encodePrefix, SALT_BYTES } from './envelope.ts';
import type { Purpose } from './purposes.ts';

/**
 * Opens an envelope v1 for exactly one key, purpose and context.
 * The caller states what the header must say, so nothing is parsed that an attacker wrote.
 * @returns the plaintext in memory of its own; the caller owns and wipes it
 * @throws {SecureGateError} `envelope_rejected`, the same whatever is wrong (format, suite, kind, key, version, owner, record, any bit)
 * @throws {RangeError} when key, purpose and context do not go together: a mistake of the calling code
 */
export function openEnvelope(key: EnvelopeKey, purpose: Purpose, context: EnvelopeContext, envelope: Uint8Array): Buffer {
  const prefix = encodePrefix(key, purpose);
  const headerBytes = prefix.length + SALT_BYTES + COMMITMENT_BYTES;
  const header = Buffer.from(envelope.subarray(0, headerBytes));
  const aad = encodeAad(header, context);
  if (envelope.length < headerBytes + GCM_TAG_BYTES || !header.subarray(0, prefix.length).equals(prefix)) throw rejected();
  const derived = deriveKeys(key, header.subarray(prefix.length, prefix.length + SALT_BYTES), purpose);
  try {
    if (!timingSafeEqual(derived.commitment, header.subarray(prefix.length + SALT_BYTES))) throw rejected();
    const plaintext = gcmDecrypt(derived.key, derived.nonce, aad, envelope.subarray(headerBytes));
    if (plaintext === null) throw rejected();
    return plaintext;
  } finally {
    derived.wipe();
  }
}

/** One error for every reason: which check failed would help only an attacker. */
function rejected(): SecureGateError {
  return new SecureGateError('envelope_rejected', 'A sealed record does not open');
}
