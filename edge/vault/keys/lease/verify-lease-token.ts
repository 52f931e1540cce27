import { compactVerify, importJWK, type JWK } from 'jose';
import { LEASE_TYPE, type LeaseClaims, leaseClaimsSchema, MOST_LEASE_SECONDS } from '../../../../shared/lease/lease-token.ts';
import type { PublicKey } from '../../../../shared/lease/public-key.ts';
import { leaseRejected } from './lease-rejected.ts';

/**
 * Checks that a lease (JWT, RFC 7519, ES256) was signed by one of some keys of a KMS. Its times are not compared with any clock here:
 * the one that counts is the vault's trusted time.
 * @param kmsKeys those that count for it (read-kms-keys.ts)
 * @throws {SecureGateError} `lease_rejected`
 */
export async function verifyLeaseToken(token: string, kmsKeys: readonly PublicKey[]): Promise<LeaseClaims> {
  for (const key of kmsKeys) {
    const payload = await payloadOf(token, key);
    if (payload === undefined) continue;
    const claims = leaseClaimsSchema.safeParse(JSON.parse(payload));
    if (!claims.success) throw leaseRejected('form');
    const { iat, exp } = claims.data;
    if (exp <= iat || exp - iat > MOST_LEASE_SECONDS) throw leaseRejected('length');
    return claims.data;
  }
  throw leaseRejected('signature');
}

/** @returns undefined unless this key signed it, as a lease */
async function payloadOf(token: string, key: PublicKey): Promise<string | undefined> {
  try {
    const { payload, protectedHeader } = await compactVerify(token, await importJWK(key as JWK, 'ES256'), { algorithms: ['ES256'] });
    return protectedHeader.typ === LEASE_TYPE ? Buffer.from(payload).toString('utf8') : undefined;
  } catch {
    return undefined;
  }
}
