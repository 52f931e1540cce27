import { createHash } from 'node:crypto';
import { EXPORT_REQUEST_TYPE, exportClaimsSchema } from '../../../shared/lease/export-request.ts';
import { verifyDeviceToken } from '../orders/verify-device-token.ts';

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

const KIND = { type: EXPORT_REQUEST_TYPE, claims: exportClaimsSchema, rejection: 'export_rejected' } as const;

/** @throws {SecureGateError} `export_rejected` */
export async function verifyExportRequest(token: string): Promise<ExportRequest> {
  const { claims, signedBy } = await verifyDeviceToken(KIND, token);
  const { sub, org, tenant, epoch, nonce, hpke } = claims;
  const hash = createHash('sha256').update(token).digest('base64url');
  return { device: sub, org, tenant, epoch, nonce, oneUseKey: Buffer.from(hpke, 'base64url'), signedBy, hash };
}
