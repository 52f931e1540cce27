import { COMMAND_TYPE, type CommandClaims } from '../../../shared/fleet/command.ts';
import type { KmsClient } from '../../kms/client.ts';
import { signForBox } from '../sign-for-box.ts';
import { type CommandRow, orderOf } from './command.ts';

/**
 * A command as it goes out.
 * @throws {SecureGateError} the KMS's: `kms_unavailable`
 */
export async function signCommand(kms: Pick<KmsClient, 'call'>, row: CommandRow): Promise<string> {
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
  return await signForBox(kms, COMMAND_TYPE, claims);
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
