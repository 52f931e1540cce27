import { calculateJwkThumbprint } from 'jose';
import { type KmsClient, MOST_SIGNED } from '../kms/client.ts';

/**
 * What the control plane says to boxes (JWT, RFC 7519, ES256 by the HSM's key for commands, which their headers name by RFC 7638).
 * @returns one for each of the claims, in their order
 * @throws {SecureGateError} the KMS's: `kms_unavailable`
 */
export async function signForBoxes(kms: Pick<KmsClient, 'call'>, type: string, claims: readonly object[]): Promise<string[]> {
  if (claims.length === 0) return [];
  const kid = await calculateJwkThumbprint(await kms.call('signingKey', { use: 'commands' }));
  const header = encode({ alg: 'ES256', typ: type, kid });
  const messages = claims.map((one) => Buffer.from(`${header}.${encode(one)}`));
  const parts = Array.from({ length: Math.ceil(messages.length / MOST_SIGNED) }, (_, at) =>
    kms.call('sign', { use: 'commands', messages: messages.slice(at * MOST_SIGNED, (at + 1) * MOST_SIGNED) }),
  );
  const signatures = (await Promise.all(parts)).flatMap((part) => part.signatures);
  return messages.map((message, at) => `${message.toString()}.${(signatures[at] ?? Buffer.alloc(0)).toString('base64url')}`);
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
