import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { firstRights } from '../../../cloud/fleet/rights/first-rights.ts';
import { roleOf } from '../../../cloud/fleet/rights/role-of.ts';
import { freePort } from '../../../provisioning/cloud/free-port.ts';
import { Mosquitto } from '../../helpers/mosquitto.ts';
import type { QuickCa } from './make-certificates.ts';

/** Debian's mosquitto, which knows these boxes by their certificates. */
export async function startMosquitto(
  parent: string,
  ca: QuickCa,
  devices: readonly string[],
): Promise<{ readonly mosquitto: Mosquitto; readonly port: number }> {
  const folder = join(parent, 'mosquitto');
  mkdirSync(folder);
  const file = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content, { mode: 0o600 });
    return join(folder, name);
  };
  const { clients, roles, ...others } = firstRights(['control-plane']) as { clients: object[]; roles: object[] };
  const rights = {
    ...others,
    clients: [...clients, ...devices.map((device) => ({ username: `CN=${device}`, roles: [{ rolename: device }] }))],
    roles: [...roles, ...devices.map(roleOf)],
  };
  const shown = await ca.issue('broker');
  const port = await freePort();
  const mosquitto = new Mosquitto({
    ...{ folder, port },
    certificate: file('broker.pem', shown.cert),
    key: file('broker.key', shown.key.toString()),
    authorities: file('ca.pem', ca.pem),
    rights: file('rights.json', JSON.stringify(rights)),
  });
  await mosquitto.start();
  return { mosquitto, port };
}
