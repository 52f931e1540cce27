import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { DESIRED_TYPE, type DesiredClaims, desiredClaimsSchema, MOST_DESIRED_CHARACTERS } from '../../../shared/fleet/desired.ts';
import type { PublicKey } from '../../../shared/lease/public-key.ts';
import { verifySigned } from '../verify-signed.ts';

/**
 * Checks that a desired state was signed for this box, in this org, by a key that it has pinned. Whether a later one is there already is
 * not looked at.
 * @throws {SecureGateError} `desired_rejected`
 */
export async function verifyDesired(token: string, device: string, org: string, keys: readonly PublicKey[]): Promise<DesiredClaims> {
  try {
    if (token.length > MOST_DESIRED_CHARACTERS) throw new Error('it is too long');
    const claims = desiredClaimsSchema.parse(await verifySigned(token, DESIRED_TYPE, keys));
    if (claims.sub !== device || claims.org !== org) throw new Error('it is for another box');
    return claims;
  } catch (cause) {
    throw new SecureGateError('desired_rejected', 'This is not what this box should have', { cause });
  }
}
