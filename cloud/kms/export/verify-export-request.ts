import { calculateJwkThumbprint, decodeProtectedHeader, importJWK, jwtVerify } from 'jose';
import { z } from 'zod';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { idSchema, slugSchema } from '../../../shared/ids/ids.ts';
import { publicKeySchema } from '../orders/public-key.ts';
import { KMS_AUDIENCE } from '../orders/verify-assignment.ts';

export const EXPORT_REQUEST_TYPE = 'securegate-export+jwt';

const claimsSchema = z.strictObject({
  aud: z.literal(KMS_AUDIENCE),
  /** The device. */
  sub: idSchema('box'),
  org: slugSchema,
  tenant: slugSchema,
  epoch: z.int().min(1),
  /** The challenge that the KMS gave: it makes the request fresh also for a device whose clock is wrong. */
  nonce: z.string().regex(/^[\w-]{43}$/),
  /** One-use key (X25519, 32 bytes) to which the answer is sealed. */
  hpke: z.string().regex(/^[\w-]{43}$/),
});

/** What a device asks for, and the thumbprint (RFC 7638) of the key by which it proved to be the one who asks. */
export interface ExportRequest {
  readonly device: string;
  readonly org: string;
  readonly tenant: string;
  readonly epoch: number;
  readonly nonce: string;
  readonly oneUseKey: Buffer;
  readonly signedBy: string;
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
    const { sub, org, tenant, epoch, nonce, hpke } = claimsSchema.parse(payload);
    const signedBy = await calculateJwkThumbprint(key);
    return { device: sub, org, tenant, epoch, nonce, oneUseKey: Buffer.from(hpke, 'base64url'), signedBy };
  } catch (cause) {
    throw new SecureGateError('export_rejected', 'This is not a request that its device signed', { cause });
  }
}
