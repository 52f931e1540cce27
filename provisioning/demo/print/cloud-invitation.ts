import type { CommandKind } from '../../../shared/fleet/command.ts';
import type { CloudVenue } from '../cloud/cloud-venue.ts';
import { TENANTS } from '../footage/script.ts';
import { ORG } from '../run-folder.ts';
import type { Palette } from './palette.ts';

/** What to try with the control plane of the demo. */
export function cloudInvitation({ cloud, admin, enrolled: { device } }: CloudVenue, palette: Palette, now: number): string[] {
  const [tenant] = TENANTS;
  const today = new Date(now).toISOString().slice(0, 10);
  const order = (kind: CommandKind): string => `  cloud commands create ${ORG} ${device} ${kind} --tenant ${tenant}`;
  return [
    `The control plane answers at ${palette.bold(cloud.url)} (routes: ${cloud.url}/openapi.json); boxes enrol at ${cloud.fleetUrl} and are connected to ${cloud.brokerUrl}.`,
    "To ask it as the org's admin, in another terminal and the same folder:\n",
    `  cloud() { npm run --silent securegate -- cloud "$@" ${admin.options.join(' ')}; }`,
    `  cloud devices state ${ORG} ${device}`,
    `  cloud keys show ${ORG} ${tenant}`,
    `  curl -s -H "Authorization: Bearer $(cloud token)" '${cloud.url}/v1/orgs/${ORG}/tenants/${tenant}/sighting-counts?from=${today}&to=${today}'\n`,
    `Take the lease of ${tenant}: it goes dark, and nobody opens it until its lease is renewed.\n`,
    order('revoke-lease'),
    `${order('renew-lease')}\n`,
    'Deny the box: it is cut off at once, for ever, and closes when its leases end.\n',
    `  cloud devices deny ${ORG} ${device}\n`,
  ];
}
