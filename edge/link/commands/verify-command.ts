import { calculateJwkThumbprint, compactVerify, decodeProtectedHeader, importJWK } from 'jose';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { COMMAND_TYPE, type CommandClaims, commandClaimsSchema } from '../../../shared/fleet/command.ts';
import type { PublicKey } from '../../../shared/lease/public-key.ts';

/**
 * Checks that a command (JWT, RFC 7519, ES256) was signed for this box by a key that it has pinned, which the header names by its
 * thumbprint (RFC 7638). Its times and its pair are not looked at: whether it still counts the router decides.
 * @throws {SecureGateError} `command_rejected`
 */
export async function verifyCommand(token: string, device: string, keys: readonly PublicKey[]): Promise<CommandClaims> {
  try {
    const { kid } = decodeProtectedHeader(token);
    const thumbprints = await Promise.all(keys.map((key) => calculateJwkThumbprint(key)));
    const key = keys[thumbprints.indexOf(kid ?? '')];
    if (key === undefined) throw new Error('no key of this name is pinned');
    const { payload, protectedHeader } = await compactVerify(token, await importJWK(key, 'ES256'), { algorithms: ['ES256'] });
    if (protectedHeader.typ !== COMMAND_TYPE) throw new Error('it is no command');
    const claims = commandClaimsSchema.parse(JSON.parse(Buffer.from(payload).toString('utf8')));
    if (claims.sub !== device) throw new Error('it is for another box');
    return claims;
  } catch (cause) {
    throw new SecureGateError('command_rejected', 'This is no command to this box', { cause });
  }
}
