import { type CloudClient, createCloudClient } from '../../shared/cloud-client/create-cloud-client.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';

export interface CloudOptions {
  readonly config: string;
  /** Whose rights are used; without one, those of the operator on this machine. */
  readonly account?: string;
  readonly json?: true;
}

/**
 * The control plane on this machine, asked as one of its accounts.
 * @throws {SecureGateError} `config_invalid` when its port is chosen at the start, and those of signing a token
 */
export async function openCloud({ config, account }: CloudOptions): Promise<CloudClient> {
  const { signToken } = await import('../../cloud/sign-token.ts');
  const { token, url } = await signToken(config, account);
  if (url === null) throw new SecureGateError('config_invalid', 'The configuration gives the control plane no port of its own');
  return createCloudClient(url, token);
}
