import { calculateJwkThumbprint, decodeProtectedHeader, importJWK, jwtVerify } from 'jose';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { ACK_TYPE, type AckClaims, ackClaimsSchema } from '../../../shared/fleet/ack.ts';
import { publicKeySchema } from '../../../shared/lease/public-key.ts';

/**
 * Checks that a word on a command (JWT, RFC 7519, ES256) is that of the box that brought it: the key in its header has to be one of the
 * box's. What time it says is not looked at, since the clock of a box may be wrong.
 * @param signingKeys thumbprints (RFC 7638) of the box's keys
 * @throws {SecureGateError} `ack_rejected`
 */
export async function verifyAck(token: string, device: string, signingKeys: readonly string[]): Promise<AckClaims> {
  try {
    const key = publicKeySchema.parse(decodeProtectedHeader(token).jwk);
    if (!signingKeys.includes(await calculateJwkThumbprint(key))) throw new Error('this is no key of the box');
    const options = { algorithms: ['ES256'], typ: ACK_TYPE, audience: 'securegate-cloud', subject: device };
    const { payload } = await jwtVerify(token, await importJWK(key, 'ES256'), options);
    return ackClaimsSchema.parse(payload);
  } catch (cause) {
    throw new SecureGateError('ack_rejected', 'This is not what the box signed', { cause, details: { device } });
  }
}
