import { existsSync } from 'node:fs';
import { SecureGateError } from '../shared/errors/securegate-error.ts';
import type { Removed } from '../shared/fleet/ack.ts';
import type { Logger } from '../shared/log/create-logger.ts';
import { BackOff } from '../shared/runtime/back-off.ts';
import { adminTokenFile } from './appliance/admin-token-file.ts';
import { BoxConnection } from './appliance/box-connection.ts';
import { type Appliance, applianceFile } from './appliance/open-appliance.ts';
import { openUnlessInUse } from './appliance/open-unless-in-use.ts';
import { Leases } from './box/leases.ts';
import { Shredder } from './box/shredder.ts';
import { Tenants } from './box/tenants.ts';
import type { Config } from './config/schema.ts';
import { systemClock } from './runtime/clock.ts';

export interface WipeOptions {
  /** Of the admin token, which a running box is asked with; in the key folder unless said. */
  readonly tokenFile?: string | undefined;
  readonly logger: Logger;
}

/** The box whose tenants are wiped, whether its daemon runs or not. */
export interface WipeableBox {
  /** The tenants that it has. */
  tenants(): Promise<readonly string[]>;
  /** @throws {SecureGateError} `tenant_not_found`, `lease_cache_failed`, `tpm_unavailable`, `storage_failed` */
  wipe(tenant: string): Promise<Removed>;
  close(): void;
}

/**
 * Removing tenants from a box by who stands before it, with no cloud in reach: the composition root of `securegate wipe`.
 * @throws {SecureGateError} `config_invalid` (no box has this data folder), those of `BoxConnection`
 */
export async function openWipeableBox(config: Config, { tokenFile, logger }: WipeOptions): Promise<WipeableBox> {
  const { dataDir, keyDir, api } = config;
  // Opening would make one.
  if (!existsSync(applianceFile(dataDir))) {
    throw new SecureGateError('config_invalid', 'No box was ever started with this data folder', { details: { dataDir } });
  }
  const appliance = openUnlessInUse(dataDir);
  if (appliance) return stoppedBox(config, appliance, logger);
  const box = new BoxConnection({ api, tokenFile: tokenFile ?? adminTokenFile(keyDir) });
  await box.open();
  return {
    tenants: async () => ((await box.ask('GET', '/v1/tenants')) as { items: { id: string }[] }).items.map(({ id }) => id),
    wipe: async (tenant) => (await box.ask('POST', `/v1/tenants/${encodeURIComponent(tenant)}/wipe`, { confirm: tenant })) as Removed,
    close: () => undefined,
  };
}

/** No vault is opened: nothing but files is removed. */
function stoppedBox(config: Config, appliance: Appliance, logger: Logger): WipeableBox {
  const orgs = new Map([...config.tenants, ...appliance.tenants.list()].map(({ id, org }) => [id, org]));
  const tenants = new Tenants({
    config,
    appliance: () => appliance,
    clock: systemClock,
    logger,
    onOpen: async () => undefined,
    onClose: async () => undefined,
    waits: () => new BackOff(0, 0),
  });
  const leases = new Leases({ tenants, carrier: undefined, random: Math.random, logger });
  const shredder = new Shredder({ config, appliance: () => appliance, tenants, leases, holders: [], clock: systemClock, logger });
  return {
    tenants: async () => [...orgs.keys()].filter((id) => appliance.tombstones.find(id)?.finished !== true),
    wipe: async (tenant) => {
      const org = orgs.get(tenant) ?? appliance.tombstones.find(tenant)?.org;
      if (org === undefined) throw new SecureGateError('tenant_not_found', 'There is no such tenant', { details: { tenant } });
      return await shredder.shred(org, tenant);
    },
    close: () => appliance.close(),
  };
}
