/**
 * The outer wrapping of an exported tenant key: HPKE (RFC 9180) in base mode with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and
 * AES-256-GCM, to a key that the device uses once. Whoever gets the device's RSA key later opens no answer that he recorded.
 */
import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_DHKEM_X25519_HKDF_SHA256 } from 'hpke';

export const EXPORT_SUITE = new CipherSuite(KEM_DHKEM_X25519_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_256_GCM);
export const EXPORT_INFO = Buffer.from('securegate/v1/tek-export');

/** What an answer is tied to. */
export interface ExportContext {
  readonly org: string;
  readonly tenant: string;
  readonly device: string;
  readonly epoch: number;
  readonly nonce: string;
}

/** Ties the answer to its request: each id as a 16-bit big-endian length and its UTF-8 bytes. */
export function exportAad({ org, tenant, device, epoch, nonce }: ExportContext): Buffer {
  return Buffer.concat(
    [org, tenant, device, String(epoch), nonce].flatMap((text) => {
      const bytes = Buffer.from(text);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(bytes.length);
      return [length, bytes];
    }),
  );
}
