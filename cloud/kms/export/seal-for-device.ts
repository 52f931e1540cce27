import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { EXPORT_INFO, EXPORT_SUITE, exportAad } from '../../../shared/lease/export-seal.ts';
import type { ExportRequest } from './verify-export-request.ts';

export interface SealedExport {
  /** Encapsulated key (`enc`), 32 bytes. */
  readonly encapsulated: Buffer;
  readonly sealed: Buffer;
}

/**
 * Puts the answer to a request into HPKE, to the request's one-use key.
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
