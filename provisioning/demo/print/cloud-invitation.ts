import type { CloudVenue } from '../cloud/cloud-venue.ts';
import { TENANTS } from '../footage/script.ts';
import { ORG } from '../run-folder.ts';
import type { Palette } from './palette.ts';

/** What to try with the control plane of the demo. */
export function cloudInvitation({ cloud, admin, device }: CloudVenue, palette: Palette): string[] {
  const [tenant] = TENANTS;
  const order = (kind: string): string =>
    `curl -H "Authorization: Bearer $(cloud token)" --json '${JSON.stringify({ device, order: { kind, body: { tenant } } })}' \\
    ${cloud.url}/v1/orgs/${ORG}/commands`;
  return [
    `The control plane answers at ${palette.bold(cloud.url)} (routes: ${cloud.url}/openapi.json); boxes enrol at ${cloud.fleetUrl} and are connected to ${cloud.brokerUrl}.`,
    "To ask it as the org's admin, in another terminal and the same folder:\n",
    `  cloud() { npm run --silent securegate -- cloud "$@" ${admin.options.join(' ')}; }`,
    `  cloud devices list ${ORG}`,
    `  cloud keys show ${ORG} ${tenant}\n`,
    `Take the lease of ${tenant}: it goes dark, and nobody opens it until its lease is renewed.\n`,
    `  ${order('revoke-lease')}`,
    `  ${order('renew-lease')}\n`,
    'Deny the box: it is cut off at once, for ever, and closes when its leases end.\n',
    `  cloud devices deny ${ORG} ${device}\n`,
  ];
}
