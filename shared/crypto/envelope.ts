/**
 * Envelope v1: the only form in which the product stores ciphertext. The layout is fixed for ever:
 *
 *   offset      bytes  field
 *   0           4      magic          "SGEV"
 *   4           1      version        1
 *   5           1      suite          1 = HKDF-SHA-256, AES-256-GCM, key commitment
 *   6           2      kind           code of the purpose (purposes.ts), big-endian
 *   8           1      n              length of the key id, 1..64
 *   9           n      key id         ASCII
 *   9+n         4      key version    big-endian
 *   13+n        32     salt           random, new for every envelope
 *   45+n        32     commitment
 *   77+n        m      ciphertext     as long as the plaintext
 *   77+n+m      16     tag
 *
 *   key(32) | nonce(12) | commitment(32) = HKDF-SHA-256(key, salt, "securegate/v1/" + purpose)
 *   AAD = everything before the ciphertext | org | tenant | customer | record | model
 *
 * Each of the five ids enters the AAD as a 16-bit big-endian length and its UTF-8 bytes; one that does not apply
 * has length 0. The salt makes the derived key new for every envelope, so the derived nonce can never repeat under it.
 * AES-GCM alone commits to no key (one ciphertext can open under two keys): the commitment is compared first,
 * as in "Efficient Schemes for Committing Authenticated Encryption" (Bellare, Hoang, EUROCRYPT 2022), UtC with HKDF.
 */
import { hkdfSha256 } from './hkdf-sha256.ts';
import { derivationLabel, PURPOSES, type Purpose } from './purposes.ts';

const MAGIC = 'SGEV';
const VERSION = 1;
const SUITE = 1;

export const SALT_BYTES = 32;
export const COMMITMENT_BYTES = 32;
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const MAX_KEY_ID_BYTES = 64;
const KEY_ID = /^[\x21-\x7e]+$/;

/** A key that seals envelopes. `bytes` (32, unpooled) belong to whoever made the object; he wipes them. */
export interface EnvelopeKey {
  readonly id: string;
  /** 1..2^32-1. */
  readonly version: number;
  readonly holds: 'keys' | 'data';
  readonly bytes: Buffer;
}

/** What an envelope belongs to. It is not stored in the envelope; it opens only for whoever names the same. */
export interface EnvelopeContext {
  readonly org: string;
  readonly tenant: string;
  readonly customer?: string;
  readonly record?: string;
  readonly model?: string;
}

/**
 * The header's bytes before the salt: all that is known before anything is random.
 * @throws {RangeError} when key and purpose do not go together or a field cannot be written: a mistake of the calling code
 */
export function encodePrefix(key: EnvelopeKey, purpose: Purpose): Buffer {
  if (key.holds !== PURPOSES[purpose].holds) throw new RangeError(`A key that seals ${key.holds} cannot seal a ${purpose}`);
  if (key.bytes.length !== KEY_BYTES) throw new RangeError('An envelope key has 32 bytes');
  if (key.id.length > MAX_KEY_ID_BYTES || !KEY_ID.test(key.id)) throw new RangeError('A key id has 1 to 64 printable ASCII characters');
  if (!Number.isInteger(key.version) || key.version < 1 || key.version > 0xffffffff) throw new RangeError('A key version is 1..2^32-1');
  const prefix = Buffer.alloc(13 + key.id.length);
  prefix.write(MAGIC, 0, 'latin1');
  prefix.writeUInt8(VERSION, 4);
  prefix.writeUInt8(SUITE, 5);
  prefix.writeUInt16BE(PURPOSES[purpose].code, 6);
  prefix.writeUInt8(key.id.length, 8);
  prefix.write(key.id, 9, 'latin1');
  prefix.writeUInt32BE(key.version, 9 + key.id.length);
  return prefix;
}

/**
 * @param header everything before the ciphertext
 * @throws {RangeError} when an id is too long, or org or tenant is empty
 */
export function encodeAad(header: Buffer, context: EnvelopeContext): Buffer {
  if (context.org === '' || context.tenant === '') throw new RangeError('An envelope belongs to an org and a tenant');
  const parts: Buffer[] = [header];
  for (const id of [context.org, context.tenant, context.customer ?? '', context.record ?? '', context.model ?? '']) {
    const bytes = Buffer.from(id, 'utf8');
    if (bytes.length > 0xffff) throw new RangeError('An id in an envelope has at most 65535 bytes');
    const length = Buffer.alloc(2);
    length.writeUInt16BE(bytes.length);
    parts.push(length, bytes);
  }
  return Buffer.concat(parts);
}

/** The three secrets of one envelope. `wipe` overwrites them all. */
export interface DerivedKeys {
  readonly key: Buffer;
  readonly nonce: Buffer;
  readonly commitment: Buffer;
  wipe(): void;
}

export function deriveKeys(key: EnvelopeKey, salt: Uint8Array, purpose: Purpose): DerivedKeys {
  const all = hkdfSha256(key.bytes, salt, derivationLabel(purpose), KEY_BYTES + NONCE_BYTES + COMMITMENT_BYTES);
  return {
    key: all.subarray(0, KEY_BYTES),
    nonce: all.subarray(KEY_BYTES, KEY_BYTES + NONCE_BYTES),
    commitment: all.subarray(KEY_BYTES + NONCE_BYTES),
    wipe: () => void all.fill(0),
  };
}
