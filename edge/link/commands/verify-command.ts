import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { COMMAND_TYPE, type CommandClaims, commandClaimsSchema } from '../../../shared/fleet/command.ts';
import type { PublicKey } from '../../../shared/lease/public-key.ts';
import { verifySigned } from '../verify-signed.ts';

/**
 * Checks that a command was signed for this box by a key that it has pinned. Its times and its pair are not looked at: whether it still
 * counts the router decides.
 * @throws {SecureGateError} `command_rejected`
 */
export async function verifyCommand(token: string, device: string, keys: readonly PublicKey[]): Promise<CommandClaims> {
  try {
    const claims = commandClaimsSchema.parse(await verifySigned(token, COMMAND_TYPE, keys));
    if (claims.sub !== device) throw new Error('it is for another box');
    return claims;
  } catch (cause) {
    throw new SecureGateError('command_rejected', 'This is no command to this box', { cause });
  }
}
