import { createHash } from 'node:crypto';
import { LEASE_TYPE, type LeaseClaims } from '../../../shared/lease/lease-token.ts';
import type { Assignment } from '../orders/verify-assignment.ts';
import type { SigningKeys } from '../signing/signing-keys.ts';
import type { ExportRequest } from './verify-export-request.ts';

/**
 * The lease that goes with an exported tenant key (JWT, RFC 7519, ES256 by the HSM's key for leases). How long and how strict it is
 * says the org's admin by the assignment, and it does not outlive that.
 * @param sealed the key as it goes out
 * @param newest epoch of the tenant
 * @param now milliseconds since the Unix epoch
 */
export async function signLease(
  signing: SigningKeys,
  request: ExportRequest,
  { lease: { seconds, enforcement }, endsAt }: Assignment,
  sealed: Buffer,
  newest: number,
  now: number,
): Promise<string> {
  const iat = Math.floor(now / 1000);
  const { device, org, tenant, epoch, nonce } = request;
  const claims: LeaseClaims = {
    aud: 'securegate-box',
    sub: device,
    org,
    tenant,
    epoch,
    newest,
    nonce,
    iat,
    exp: Math.min(iat + seconds, endsAt),
    enforcement,
    sealed: createHash('sha256').update(sealed).digest('base64url'),
  };
  const signed = `${encode({ alg: 'ES256', typ: LEASE_TYPE })}.${encode(claims)}`;
  const signature = Buffer.concat(await signing.sign('leases', [Buffer.from(signed)]));
  return `${signed}.${signature.toString('base64url')}`;
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
