import type { BoxConnection } from '../../edge/appliance/box-connection.ts';

/**
 * The box that runs on this machine, by its API.
 * @param address where it is served, if not where its configuration says
 * @throws {SecureGateError} `config_missing`, `config_invalid`, `file_unreadable` (the admin token: its owner is the user of the box)
 */
export async function runningBox(configFile: string, address?: string): Promise<BoxConnection> {
  const [{ loadConfig }, { adminTokenFile }, { BoxConnection }] = await Promise.all([
    import('../../edge/config/load-config.ts'),
    import('../../edge/appliance/admin-token-file.ts'),
    import('../../edge/appliance/box-connection.ts'),
  ]);
  const { api, keyDir } = loadConfig(configFile);
  const box = new BoxConnection({ api: address === undefined ? api : at(address, api.tls), tokenFile: adminTokenFile(keyDir) });
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
