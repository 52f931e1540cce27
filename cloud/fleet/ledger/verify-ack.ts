import { createPublicKey } from 'node:crypto';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { ACK_TYPE, type AckClaims, ackClaimsSchema } from '../../../shared/fleet/ack.ts';
import { publicKeySchema } from '../../../shared/lease/public-key.ts';
import { keyHash } from '../pki/key-hash.ts';

/**
 * Checks that a word on a command (JWT, RFC 7519, ES256) is that of the box that brought it: the key in its header has to be one of the
 * box's. What time it says is not looked at, since the clock of a box may be wrong.
 * @param signingKeys the box's keys (key-hash.ts)
 * @throws {SecureGateError} `ack_rejected`
 */
export async function verifyAck(token: string, device: string, signingKeys: readonly string[]): Promise<AckClaims> {
  try {
    const key = createPublicKey({ key: publicKeySchema.parse(decodeProtectedHeader(token).jwk), format: 'jwk' });
    if (!signingKeys.includes(keyHash(key))) throw new Error('this is no key of the box');
    const options = { algorithms: ['ES256'], typ: ACK_TYPE, audience: 'securegate-cloud', subject: device };
    const { payload } = await jwtVerify(token, key, options);
    return ackClaimsSchema.parse(payload);
  } catch (cause) {
    throw new SecureGateError('ack_rejected', 'This is not what the box signed', { cause, details: { device } });
  }
}
