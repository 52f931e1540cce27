import { createHash } from 'node:crypto';
import { calculateJwkThumbprint, decodeProtectedHeader, importJWK, jwtVerify } from 'jose';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { EXPORT_REQUEST_TYPE, exportClaimsSchema, KMS_AUDIENCE } from '../../../shared/lease/export-request.ts';
import { publicKeySchema } from '../../../shared/lease/public-key.ts';

/** What a device asks for, and the thumbprint (RFC 7638) of the key by which it proved to be the one who asks. */
export interface ExportRequest {
  readonly device: string;
  readonly org: string;
  readonly tenant: string;
  readonly epoch: number;
  readonly nonce: string;
  readonly oneUseKey: Buffer;
  readonly signedBy: string;
  /** SHA-256 of the request as it stands, base64url. */
  readonly hash: string;
}

/**
 * Checks that a request (JWT, RFC 7519, ES256) is signed by the key that it carries. Whether that key is the device's says its assignment.
 * @throws {SecureGateError} `export_rejected`
 */
export async function verifyExportRequest(token: string): Promise<ExportRequest> {
  try {
    const key = publicKeySchema.parse(decodeProtectedHeader(token).jwk);
    const options = { algorithms: ['ES256'], typ: EXPORT_REQUEST_TYPE, audience: KMS_AUDIENCE };
    const { payload } = await jwtVerify(token, await importJWK(key, 'ES256'), options);
    const { sub, org, tenant, epoch, nonce, hpke } = exportClaimsSchema.parse(payload);
    const signedBy = await calculateJwkThumbprint(key);
    const hash = createHash('sha256').update(token).digest('base64url');
    return { device: sub, org, tenant, epoch, nonce, oneUseKey: Buffer.from(hpke, 'base64url'), signedBy, hash };
  } catch (cause) {
    throw new SecureGateError('export_rejected', 'This is not a request that its device signed', { cause });
  }
}
