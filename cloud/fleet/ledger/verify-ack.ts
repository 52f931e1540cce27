import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { ACK_TYPE, type AckClaims, ackClaimsSchema } from '../../../shared/fleet/ack.ts';
import { verifyBoxToken } from '../verify-box-token.ts';

/** What a box says of a command. */
export interface Ack {
  readonly org: string;
  readonly device: string;
  /** The box's keys (key-hash.ts). */
  readonly signingKeys: readonly string[];
  readonly token: string;
}

/**
 * Checks that a word on a command is that of the box that brought it.
 * @throws {SecureGateError} `ack_rejected`
 */
export async function verifyAck({ token, device, signingKeys }: Ack): Promise<AckClaims> {
  try {
    return await verifyBoxToken(token, { type: ACK_TYPE, schema: ackClaimsSchema, device, signingKeys });
  } catch (cause) {
    throw new SecureGateError('ack_rejected', 'This is not what the box signed', { cause, details: { device } });
  }
}
