import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openAppliance } from '../../edge/appliance/open-appliance.ts';
import { CloudLink } from '../../edge/box/cloud-link.ts';
import { Leases } from '../../edge/box/leases.ts';
import { Tenants } from '../../edge/box/tenants.ts';
import { parseConfig } from '../../edge/config/load-config.ts';
import type { LinkFolder } from '../../edge/link/enrolment/link-folder.ts';
import { systemClock } from '../../edge/runtime/clock.ts';
import { BackOff } from '../../shared/runtime/back-off.ts';
import { testLogger } from './secrecy/test-logger.ts';
import { tempFolder } from './temp-folder.ts';

/** The link as the daemon has it. */
export async function linkOf(folder: LinkFolder): Promise<CloudLink> {
  const root = await tempFolder();
  const config = parseConfig({ dataDir: join(root, 'data'), keyDir: join(root, 'keys'), tenants: [{ id: 'hall', org: 'acme' }] });
  const appliance = openAppliance(config.dataDir);
  onTestFinished(() => appliance.close());
  const logger = testLogger('edge');
  const tenants = new Tenants({
    config,
    appliance: () => appliance,
    clock: systemClock,
    logger,
    onOpen: async () => undefined,
    onClose: async () => undefined,
    waits: () => new BackOff(600_000, 600_000),
  });
  const leases = new Leases({ config, tenants, carrier: undefined, random: () => 0, logger });
  const link = new CloudLink({ folder, journal: () => appliance.commands, leases, tenants, clock: systemClock, random: () => 0, logger });
  onTestFinished(() => link.stop());
  return link;
}
