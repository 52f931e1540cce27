import { calculateJwkThumbprint } from 'jose';
import { COMMAND_TYPE, type CommandClaims } from '../../../shared/fleet/command.ts';
import type { KmsClient } from '../../kms/client.ts';
import { type CommandRow, orderOf } from './command.ts';

/**
 * A command as it goes out (JWT, RFC 7519, ES256 by the HSM's key for commands, which its header names by RFC 7638).
 * @throws {SecureGateError} the KMS's: `kms_unavailable`
 */
export async function signCommand(kms: Pick<KmsClient, 'call'>, row: CommandRow): Promise<string> {
  const kid = await calculateJwkThumbprint(await kms.call('signingKey', { use: 'commands' }));
  const claims: CommandClaims = {
    aud: 'securegate-box',
    sub: row.device,
    jti: row.id,
    iat: seconds(row.created_at),
    ...(row.sequence === 0 ? {} : { pair: { incarnation: row.incarnation, sequence: row.sequence } }),
    ...(row.not_before === 0 ? {} : { nbf: seconds(row.not_before) }),
    ...(row.expires_at === 0 ? {} : { exp: seconds(row.expires_at) }),
    order: orderOf(row),
  };
  const message = `${encode({ alg: 'ES256', typ: COMMAND_TYPE, kid })}.${encode(claims)}`;
  const { signature } = await kms.call('sign', { use: 'commands', message: Buffer.from(message) });
  return `${message}.${signature.toString('base64url')}`;
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
