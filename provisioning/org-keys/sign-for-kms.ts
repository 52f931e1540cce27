import { randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';
import { KMS_AUDIENCE } from '../../shared/lease/export-request.ts';
import { type OrgKey, requirePrivate } from './key-file.ts';

/**
 * An order of an org's admin to the KMS (JWT, RFC 7519, ES256), which counts once.
 * @param type of the token: assignment or approval
 * @param seconds until it ends
 */
export async function signForKms(signer: OrgKey, type: string, claims: object, seconds: number, now: number): Promise<string> {
  const iat = Math.floor(now / 1000);
  const jti = randomBytes(16).toString('hex');
  return await new SignJWT({ ...claims, aud: KMS_AUDIENCE, jti, iat, exp: iat + seconds })
    .setProtectedHeader({ alg: 'ES256', typ: type, kid: signer.thumbprint })
    .sign(requirePrivate(signer));
}
