import { rm } from 'node:fs/promises';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Removed } from '../../shared/fleet/ack.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import { BackOff } from '../../shared/runtime/back-off.ts';
import { SerialByKey } from '../../shared/runtime/serial-by-key.ts';
import type { Appliance } from '../appliance/open-appliance.ts';
import { replicaFolder } from '../backup/keyring-copies.ts';
import { forgetKeyringVersion } from '../backup/keyring-version.ts';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Part } from '../runtime/lifecycle.ts';
import { pause } from '../runtime/pause.ts';
import type { Leases } from './leases.ts';
import type { Tenants } from './tenants.ts';

/** Cameras and webhooks that hang do not keep a tenant's key alive. */
const PATIENCE_MS = 2000;
const AGAIN_MS = { first: 1000, longest: 60_000 };

const NOTHING: Removed = { keyFiles: 0, dataFiles: 0, bytes: 0, customers: 0, tpmCounter: false };

/** A part that holds something of tenants in memory, or works for them. */
interface HoldsTenants {
  /** The tenant is gone: what is done for it ends, and what is held of it is forgotten. */
  drop(tenant: string): Promise<void> | void;
}

export interface ShredderOptions {
  readonly config: Pick<Config, 'keyDir' | 'keyringReplicaDir'>;
  readonly appliance: () => Pick<Appliance, 'box' | 'tombstones' | 'tenants' | 'apiKeys'>;
  readonly tenants: Pick<Tenants, 'bury'>;
  readonly leases: Pick<Leases, 'drop'>;
  /** Whoever else has something of the tenant. */
  readonly holders: readonly HoldsTenants[];
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Removes tenants from this box for ever, while the others go on. The tombstone is written first: whatever happens after it, the tenant does
 * not come back, and what was cut off is finished at the next start.
 */
export class Shredder implements Part {
  readonly name = 'shredder';
  readonly #options: ShredderOptions;
  readonly #byTenant = new SerialByKey();
  readonly #stopping = new AbortController();
  #finishing: Promise<unknown> = Promise.resolve();

  constructor(options: ShredderOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const unfinished = this.#options
      .appliance()
      .tombstones.list()
      .filter(({ finished }) => !finished);
    this.#finishing = Promise.all(unfinished.map(({ tenant }) => this.#finish(tenant)));
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#finishing;
  }

  /**
   * Done before, it tells again what was removed then.
   * @throws {SecureGateError} `lease_cache_failed`, `tpm_unavailable`, `storage_failed`: it is buried, and something of it is left
   */
  async shred(org: string, tenant: string): Promise<Removed> {
    const { clock, logger } = this.#options;
    const { tombstones } = this.#options.appliance();
    return await this.#byTenant.run(tenant, async () => {
      const known = tombstones.find(tenant);
      if (known === undefined) logger.warn({ tenant }, 'this tenant is shredded');
      tombstones.bury(tenant, org, clock.now());
      if (known?.finished !== true) await this.#remove(tenant);
      return tombstones.find(tenant)?.removed ?? NOTHING;
    });
  }

  async #remove(tenant: string): Promise<void> {
    const { config, appliance, tenants, leases, holders, logger } = this.#options;
    const { box, tombstones, tenants: policies, apiKeys } = appliance();
    const { org = '' } = tombstones.find(tenant) ?? {};
    const dropped = Promise.allSettled(holders.map(async (holder) => holder.drop(tenant)));
    await Promise.race([dropped, pause(PATIENCE_MS, this.#stopping.signal)]);
    const { vault, replica } = tenants.bury(tenant, org);
    await vault.shred((found) => tombstones.count(tenant, found));
    await leases.drop(tenant);
    await replica?.abandon();
    if (config.keyringReplicaDir !== undefined) {
      await rm(replicaFolder(config.keyringReplicaDir, box, tenant), { recursive: true, force: true });
    }
    await forgetKeyringVersion(config.keyDir, tenant);
    apiKeys.removeOf(tenant);
    policies.remove(tenant);
    tombstones.finish(tenant);
    logger.warn({ tenant, ...tombstones.find(tenant)?.removed }, 'nothing of this tenant is left on this box');
  }

  async #finish(tenant: string): Promise<void> {
    const backOff = new BackOff(AGAIN_MS.first, AGAIN_MS.longest);
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.shred('', tenant);
        return;
      } catch (error) {
        this.#options.logger.error(
          { err: SecureGateError.from(error), tenant },
          'something of a shredded tenant is left; it is tried again',
        );
        await pause(backOff.next(), signal);
      }
    }
  }
}
