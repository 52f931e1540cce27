import { Command, Option } from 'commander';
import type { BoxConnection } from '../../edge/appliance/box-connection.ts';

export interface BoxOptions {
  readonly config: string;
  /** Where it is served, if not where its configuration says. */
  readonly api?: string;
  /** Of the admin token, if it does not lie in the key folder any more. */
  readonly tokenFile?: string;
}

/** A command that asks the box that runs on this machine. */
export function askingBox(name: string): Command {
  return new Command(name)
    .requiredOption('--config <file>', 'configuration of the box (JSON)')
    .option('--api <url>', 'where a running box is served, if not where its configuration says')
    .addOption(tokenFileOption());
}

/** The file in the key folder is taken away when the token is in somebody's password store. */
export function tokenFileOption(): Option {
  return new Option(
    '--token-file <file>',
    'file of the admin token, which a running box is asked with (default: in the key folder); /dev/stdin reads it from there',
  );
}

/**
 * The box that runs on this machine, by its API.
 * @throws {SecureGateError} `config_missing`, `config_invalid`, `file_unreadable` (the admin token: its owner is the user of the box)
 */
export async function runningBox({ config, api: address, tokenFile }: BoxOptions): Promise<BoxConnection> {
  const [{ loadConfig }, { adminTokenFile }, { BoxConnection }] = await Promise.all([
    import('../../edge/config/load-config.ts'),
    import('../../edge/appliance/admin-token-file.ts'),
    import('../../edge/appliance/box-connection.ts'),
  ]);
  const { api, keyDir } = loadConfig(config);
  const box = new BoxConnection({
    api: address === undefined ? api : at(address, api.tls),
    tokenFile: tokenFile ?? adminTokenFile(keyDir),
  });
  await box.open();
  return box;
}

function at(
  address: string,
  tls: { readonly cert: string } | undefined,
): { host: string; port: number; tls: { cert: string } | undefined } {
  const { hostname, port, protocol } = new URL(address);
  const secure = protocol === 'https:';
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || (secure ? 443 : 80), tls: secure ? tls : undefined };
}
