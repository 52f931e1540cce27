import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { Command } from 'commander';
import { type CloudClient, createCloudClient } from '../../shared/cloud-client/create-cloud-client.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { openCloud } from '../cloud/open-cloud.ts';

export interface Asking {
  readonly config?: string;
  readonly account?: string;
  readonly cloud?: string;
  readonly token?: string;
  readonly json?: true;
}

/** A subcommand that asks a control plane, on its own machine or from another one. */
export function asking(name: string): Command {
  return new Command(name)
    .option('--config <file>', 'configuration of the control plane (JSON), on its own machine')
    .option('--account <id>', 'whose rights are used there, if not those of the operator')
    .option('--cloud <url>', 'address of the control plane, from any other machine')
    .option('--token <file>', 'file with an access token for it; - reads it from standard input')
    .option('--json', 'print the result as JSON');
}

/** @throws {SecureGateError} `usage`, and those of {@link openCloud} */
export async function cloudOf({ config, account, cloud, token }: Asking): Promise<CloudClient> {
  if (config !== undefined) return await openCloud({ config, ...(account === undefined ? {} : { account }) });
  if (cloud === undefined || token === undefined) throw new SecureGateError('usage', 'Give --config, or --cloud and --token');
  const secret = token === '-' ? await text(process.stdin) : readFileSync(token, 'utf8');
  return createCloudClient(cloud.replace(/\/$/, ''), secret.trim());
}
