import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Venue } from '../../shared/http/tenant-context.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import type { BackOff } from '../../shared/runtime/back-off.ts';
import type { TenantSettings, TenantsPort, TenantView } from '../api/ports.ts';
import type { Appliance } from '../appliance/open-appliance.ts';
import type { KeyOrigin, TenantPolicy } from '../appliance/tenant-policies.ts';
import { KeyringReplica } from '../backup/keyring-replica.ts';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Part } from '../runtime/lifecycle.ts';
import { pause } from '../runtime/pause.ts';
import { VaultClient } from '../vault/client.ts';
import { leaseSettingsOf } from './lease-settings-of.ts';

/** What a policy is where nobody says otherwise; the configuration file has the same defaults. */
const DEFAULTS = { matchThreshold: null, unmatchedTtlMs: 10_000, sightingsDays: 30, keys: 'file' } as const;
/** How long the start waits for vaults. */
const PATIENCE_MS = 10_000;

interface Tenant {
  policy: TenantPolicy;
  /** Declared in the configuration file. */
  readonly fixed: boolean;
  readonly vault: VaultClient;
  readonly replica: KeyringReplica | undefined;
  /** Why the vault is not open. */
  reason: string | null;
  /** Until a vault that somebody has to mend is tried again. */
  readonly waits: BackOff;
  waiting: AbortController;
}

export interface TenantsOptions {
  readonly config: Pick<Config, 'tenants' | 'dataDir' | 'keyDir' | 'keyringReplicaDir' | 'lease' | 'outbox'>;
  readonly appliance: () => Appliance;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called whenever the vault of a tenant is open, the first time and after each of its crashes. Must not reject. */
  readonly onOpen: (tenant: string) => Promise<void>;
  /** Called when a vault stays closed until somebody acts, or a lease comes; and before, where it is closed on purpose. Must not reject. */
  readonly onClose: (tenant: string) => Promise<void>;
  /** How long a vault is left alone that does not open until somebody mends it. */
  readonly waits: () => BackOff;
}

/** The tenants of the box, those of the configuration file and those that were added at run time, each with its vault. */
export class Tenants implements TenantsPort, Part {
  readonly name = 'vaults';
  readonly #options: TenantsOptions;
  readonly #tenants = new Map<string, Tenant>();
  /** Ids whose vault is being made. */
  readonly #adding = new Set<string>();
  #opening: Promise<void>[] = [];

  constructor(options: TenantsOptions) {
    this.#options = options;
  }

  /** Begins to open all vaults. One that does not open stays closed until the reason has passed, and the others go on. */
  async start(signal: AbortSignal): Promise<void> {
    const { config, appliance, logger } = this.#options;
    for (const tenant of config.tenants) {
      const { id, org, keys } = tenant;
      if (this.#isGone(id)) logger.error({ tenant: id, code: 'tenant_shredded' }, 'the configuration names a shredded tenant');
      else this.#hold(changed({ ...DEFAULTS, id, org, keys }, tenant), true);
    }
    for (const policy of appliance().tenants.list()) {
      if (!this.#tenants.has(policy.id) && !this.#isGone(policy.id)) this.#hold(policy, false);
    }
    this.#opening = Array.from(this.#tenants, async ([tenant, { vault }]) => {
      try {
        await vault.start(signal);
      } catch (error) {
        if (signal.aborted) return;
        const reason = SecureGateError.from(error);
        if (vault.state === 'closed') return logger.info({ tenant, code: reason.code }, 'this tenant is closed until its lease comes');
        logger.error({ err: error, tenant }, 'the vault of this tenant stays closed');
        vault.keepTrying(reason);
      }
    });
  }

  /** Waits until every vault is open or has failed to open; not for ever, since one may hang. */
  async opened(signal: AbortSignal): Promise<void> {
    await Promise.race([Promise.all(this.#opening), pause(PATIENCE_MS, signal)]);
  }

  async stop(): Promise<void> {
    await Promise.all(
      Array.from(this.#tenants.values(), async ({ vault, replica }) => {
        await replica?.stop();
        await vault.stop();
      }),
    );
  }

  /** Whether the replica of some keyring is behind; undefined where none is kept. */
  get replicaBehind(): boolean | undefined {
    if (this.#options.config.keyringReplicaDir === undefined) return undefined;
    return this.#tenants.values().some(({ replica }) => replica?.behind === true);
  }

  /** Sees to it that each replica still has its keyring as of the last erasure or move. */
  async lookAtReplicas(): Promise<void> {
    await Promise.all(
      Array.from(this.#tenants.values(), async ({ vault, replica }) => {
        if (vault.state === 'ready') await replica?.look();
      }),
    );
  }

  list(): readonly TenantView[] {
    return Array.from(this.#tenants.values(), viewOf);
  }

  byHostname(hostname: string): Venue | undefined {
    const found = this.#options.config.tenants.find(({ hostnames }) => hostnames.includes(hostname));
    return found && { org: found.org, tenant: found.id };
  }

  /** What cameras go by. Of a tenant that is gone, no face is kept that one of them still brings while it stops. */
  policyOf(id: string): Pick<TenantPolicy, 'matchThreshold' | 'unmatchedTtlMs'> {
    return this.#tenants.get(id)?.policy ?? { matchThreshold: null, unmatchedTtlMs: 0 };
  }

  has(tenant: string): boolean {
    return this.#tenants.has(tenant);
  }

  get(tenant: string): TenantView {
    return viewOf(this.#find(tenant));
  }

  vault(tenant: string): VaultClient {
    return this.#find(tenant).vault;
  }

  async add(wanted: { id: string; org: string; keys?: KeyOrigin } & TenantSettings): Promise<TenantView> {
    const { id, org, keys = DEFAULTS.keys } = wanted;
    if (this.#isGone(id)) throw shredded(id);
    if (this.#tenants.has(id) || this.#adding.has(id)) {
      throw new SecureGateError('conflict', 'There is a tenant of this id', { details: { tenant: id } });
    }
    this.#adding.add(id);
    const tenant = this.#build(changed({ ...DEFAULTS, id, org, keys }, wanted), false);
    try {
      await startOrAwaitLease(tenant.vault);
      if (this.#isGone(id)) throw shredded(id);
      this.#options.appliance().tenants.put(tenant.policy);
    } catch (error) {
      await tenant.replica?.stop();
      await tenant.vault.stop();
      throw error;
    } finally {
      this.#adding.delete(id);
    }
    this.#tenants.set(id, tenant);
    if (tenant.vault.state === 'ready') await this.#options.onOpen(id);
    return viewOf(tenant);
  }

  /**
   * A tenant that was shredded is on this box no more, from now on.
   * @returns what is to be removed of it; also of one that this box never had
   */
  bury(id: string, org: string): Pick<Tenant, 'vault' | 'replica'> {
    const policies = this.#options.appliance().tenants.list();
    const tenant = this.#tenants.get(id) ?? this.#build(policies.find((policy) => policy.id === id) ?? { ...DEFAULTS, id, org }, false);
    this.#tenants.delete(id);
    tenant.waiting.abort();
    return tenant;
  }

  async change(id: string, wanted: TenantSettings): Promise<TenantView> {
    const tenant = this.#find(id);
    if (tenant.fixed) {
      throw new SecureGateError('fixed_by_configuration', 'This tenant is declared in the configuration file', { details: { tenant: id } });
    }
    const policy = changed(tenant.policy, wanted);
    this.#options.appliance().tenants.put(policy);
    tenant.policy = policy;
    if (tenant.vault.state === 'ready') await this.#tellRetention(tenant);
    return viewOf(tenant);
  }

  async open(id: string): Promise<TenantView> {
    const tenant = this.#find(id);
    if (tenant.vault.state === 'failed') await tenant.vault.start();
    return viewOf(tenant);
  }

  /** Ends the vault's process and starts it anew. One whose lease lived in memory is closed then, until a new one comes. */
  async restart(id: string): Promise<void> {
    const { vault } = this.#find(id);
    await vault.stop();
    await startOrAwaitLease(vault);
  }

  #hold(policy: TenantPolicy, fixed: boolean): void {
    this.#tenants.set(policy.id, this.#build(policy, fixed));
  }

  #build(policy: TenantPolicy, fixed: boolean): Tenant {
    const { config, appliance, clock, logger, onOpen, onClose, waits } = this.#options;
    const { dataDir, keyDir, keyringReplicaDir: replicaDir } = config;
    const { id, org } = policy;
    const { box } = appliance();
    const lease = leaseSettingsOf(config, policy);
    // The control plane knows the tenants whose keys are its own, and no others.
    const { mebibytesPerTenant, whenFull } = config.outbox;
    const outbox = lease && { bytes: mebibytesPerTenant * 2 ** 20, whenFull };
    const vault = new VaultClient({ org, tenant: id, box, dataDir, keyDir, lease, outbox, clock, logger });
    const replica =
      replicaDir === undefined ? undefined : new KeyringReplica({ vault, box, tenant: id, dataDir, replicaDir, keyDir, logger });
    if (replica) vault.onKeyringChange(async (lost) => (lost ? replica.follow() : replica.followSoon()));
    vault.onLeave(() => onClose(id));
    const tenant: Tenant = { policy, fixed, vault, replica, reason: null, waits: waits(), waiting: new AbortController() };
    vault.onStateChange((state, reason) => {
      tenant.waiting.abort();
      // While it is tried again it is still closed for the same reason.
      if (reason !== undefined || state !== 'starting') tenant.reason = reason?.code ?? null;
      if (state === 'closed' || state === 'failed') void onClose(id);
      if (state === 'failed') void this.#openLater(tenant);
      if (state !== 'ready') return;
      tenant.waits.reset();
      void this.#tellRetention(tenant);
      void replica?.follow();
      if (this.#tenants.has(id)) void onOpen(id);
    });
    return tenant;
  }

  /** Whether somebody has mended it only a try can tell; when one fails, this is called again. */
  async #openLater(tenant: Tenant): Promise<void> {
    tenant.waiting = new AbortController();
    const { signal } = tenant.waiting;
    await pause(tenant.waits.next(), signal);
    if (signal.aborted) return;
    await tenant.vault.start().catch((error: unknown) => {
      this.#options.logger.warn({ err: error, tenant: tenant.policy.id }, 'the vault of this tenant still does not open');
    });
  }

  /** A vault that ends before it has heard hears it when it opens again. */
  async #tellRetention({ vault, policy }: Tenant): Promise<void> {
    try {
      await vault.keepSightings(policy.sightingsDays);
    } catch (error) {
      this.#options.logger.warn({ err: error, tenant: policy.id }, 'the vault was not told how long to keep sightings');
    }
  }

  #isGone(id: string): boolean {
    return this.#options.appliance().tombstones.find(id) !== undefined;
  }

  #find(id: string): Tenant {
    const tenant = this.#tenants.get(id);
    if (tenant === undefined && this.#isGone(id)) throw shredded(id);
    if (tenant === undefined) throw new SecureGateError('tenant_not_found', 'There is no such tenant', { details: { tenant: id } });
    return tenant;
  }
}

/** A vault that waits for its lease has begun as it should. */
async function startOrAwaitLease(vault: VaultClient): Promise<void> {
  await vault.start().catch((error: unknown) => {
    if (vault.state !== 'closed') throw error;
  });
}

function shredded(tenant: string): SecureGateError {
  return new SecureGateError('tenant_shredded', 'This tenant was shredded', { details: { tenant } });
}

function changed(policy: TenantPolicy, wanted: TenantSettings): TenantPolicy {
  const { matchThreshold = policy.matchThreshold, unmatchedTtlMs = policy.unmatchedTtlMs, sightingsDays = policy.sightingsDays } = wanted;
  return { ...policy, matchThreshold, unmatchedTtlMs, sightingsDays };
}

function viewOf({ policy, fixed, vault, reason }: Tenant): TenantView {
  return { ...policy, state: vault.state, reason, fixed };
}
