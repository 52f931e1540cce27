import { COMMAND_TYPE, type CommandClaims } from '../../../shared/fleet/command.ts';
import type { KmsClient } from '../../kms/client.ts';
import { signForBoxes } from '../sign-for-boxes.ts';
import { type CommandRow, orderOf } from './command.ts';

/**
 * Commands as they go out.
 * @returns one for each, in their order
 * @throws {SecureGateError} the KMS's: `kms_unavailable`
 */
export async function signCommands(kms: Pick<KmsClient, 'call'>, rows: readonly CommandRow[]): Promise<string[]> {
  return await signForBoxes(kms, COMMAND_TYPE, rows.map(claimsOf));
}

function claimsOf(row: CommandRow): CommandClaims {
  return {
    aud: 'securegate-box',
    sub: row.device,
    jti: row.id,
    iat: seconds(row.created_at),
    ...(row.sequence === 0 ? {} : { pair: { incarnation: row.incarnation, sequence: row.sequence } }),
    ...(row.not_before === 0 ? {} : { nbf: seconds(row.not_before) }),
    ...(row.expires_at === 0 ? {} : { exp: seconds(row.expires_at) }),
    order: orderOf(row),
  };
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
