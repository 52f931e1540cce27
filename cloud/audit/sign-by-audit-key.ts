import { calculateJwkThumbprint } from 'jose';
import type { KmsClient } from '../kms/client.ts';

/**
 * Signs what the control plane says of its log, or of a shred or an erasure (JWT, RFC 7519, ES256 by the HSM's key for the audit, which its header names by RFC 7638).
 * @throws {SecureGateError} the KMS's: `kms_unavailable`
 */
export async function signByAuditKey(kms: Pick<KmsClient, 'call'>, type: string, claims: object): Promise<string> {
  const kid = await calculateJwkThumbprint(await kms.call('signingKey', { use: 'audit' }));
  const message = `${encode({ alg: 'ES256', typ: type, kid })}.${encode(claims)}`;
  const { signatures } = await kms.call('sign', { use: 'audit', messages: [Buffer.from(message)] });
  return `${message}.${Buffer.concat(signatures).toString('base64url')}`;
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
