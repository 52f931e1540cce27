import { calculateJwkThumbprint, decodeProtectedHeader, importJWK, jwtVerify } from 'jose';
import type { z } from 'zod';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { KMS_AUDIENCE } from '../../../shared/lease/export-request.ts';
import { publicKeySchema } from '../../../shared/lease/public-key.ts';

export interface DeviceTokenKind<Claims> {
  readonly type: string;
  readonly claims: z.ZodType<Claims>;
  /** Code of the error when it does not hold. */
  readonly rejection: 'export_rejected' | 'move_rejected' | 'hand_over_rejected';
}

/**
 * Checks that a token (JWT, RFC 7519, ES256) is signed by the key that it carries. Whether that key is the device's says its
 * assignment; what time it says is not looked at, since the clock of a device may be wrong.
 * @returns the claims, and the thumbprint (RFC 7638) of the key
 * @throws {SecureGateError} the kind's `rejection`
 */
export async function verifyDeviceToken<Claims>(
  kind: DeviceTokenKind<Claims>,
  token: string,
): Promise<{ claims: Claims; signedBy: string }> {
  try {
    const key = publicKeySchema.parse(decodeProtectedHeader(token).jwk);
    const options = { algorithms: ['ES256'], typ: kind.type, audience: KMS_AUDIENCE };
    const { payload } = await jwtVerify(token, await importJWK(key, 'ES256'), options);
    return { claims: kind.claims.parse(payload), signedBy: await calculateJwkThumbprint(key) };
  } catch (cause) {
    throw new SecureGateError(kind.rejection, 'This is not what a device signed', { cause });
  }
}
