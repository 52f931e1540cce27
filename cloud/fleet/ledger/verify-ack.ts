import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { ACK_TYPE, type AckClaims, ackClaimsSchema } from '../../../shared/fleet/ack.ts';
import { verifyBoxToken } from '../verify-box-token.ts';

/**
 * Checks that a word on a command is that of the box that brought it.
 * @param signingKeys the box's keys (key-hash.ts)
 * @throws {SecureGateError} `ack_rejected`
 */
export async function verifyAck(token: string, device: string, signingKeys: readonly string[]): Promise<AckClaims> {
  try {
    return await verifyBoxToken(token, { type: ACK_TYPE, schema: ackClaimsSchema, device, signingKeys });
  } catch (cause) {
    throw new SecureGateError('ack_rejected', 'This is not what the box signed', { cause, details: { device } });
  }
}
