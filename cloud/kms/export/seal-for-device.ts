/**
 * The outer wrapping of an exported tenant key: HPKE (RFC 9180) in base mode with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and
 * AES-256-GCM, to a key that the device uses once. Whoever gets the device's RSA key later opens no answer that he recorded.
 */
import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_DHKEM_X25519_HKDF_SHA256 } from 'hpke';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { ExportRequest } from './verify-export-request.ts';

export const EXPORT_SUITE = new CipherSuite(KEM_DHKEM_X25519_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_256_GCM);
export const EXPORT_INFO = Buffer.from('securegate/v1/tek-export');

export interface SealedExport {
  /** Encapsulated key (`enc`), 32 bytes. */
  readonly encapsulated: Buffer;
  readonly sealed: Buffer;
}

/**
 * @param wrapped the tenant key, wrapped to the device's RSA key
 * @throws {SecureGateError} `export_rejected` when the one-use key is no key
 */
export async function sealForDevice(wrapped: Buffer, request: ExportRequest): Promise<SealedExport> {
  try {
    const key = await EXPORT_SUITE.DeserializePublicKey(request.oneUseKey);
    const { encapsulatedSecret, ciphertext } = await EXPORT_SUITE.Seal(key, wrapped, { info: EXPORT_INFO, aad: exportAad(request) });
    return { encapsulated: Buffer.from(encapsulatedSecret), sealed: Buffer.from(ciphertext) };
  } catch (cause) {
    throw new SecureGateError('export_rejected', 'The one-use key of this request cannot be used', { cause });
  }
}

/** Ties the answer to its request: each id as a 16-bit big-endian length and its UTF-8 bytes. */
export function exportAad({ org, tenant, device, epoch, nonce }: Omit<ExportRequest, 'oneUseKey' | 'signedBy'>): Buffer {
  return Buffer.concat(
    [org, tenant, device, String(epoch), nonce].flatMap((text) => {
      const bytes = Buffer.from(text);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(bytes.length);
      return [length, bytes];
    }),
  );
}
