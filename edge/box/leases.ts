import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { SignedRecovery } from '../../shared/lease/recovery.ts';
import type { StickAnswer, StickRequest } from '../../shared/lease/stick.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import type { LeaseStatus, LeasesPort } from '../api/ports.ts';
import type { LeaseCarrier } from '../link/lease-carrier.ts';
import type { Part } from '../runtime/lifecycle.ts';
import { LeaseRenewal } from './lease-renewal.ts';
import type { Tenants } from './tenants.ts';

export interface LeasesOptions {
  readonly tenants: Tenants;
  /** To a KMS that the configuration names. */
  readonly carrier: LeaseCarrier | undefined;
  /** 0 to 1. */
  readonly random: () => number;
  readonly logger: Logger;
}

/** The leases of the tenants whose keys come from a KMS. */
export class Leases implements LeasesPort, Part {
  readonly name = 'leases';
  readonly #options: LeasesOptions;
  readonly #renewals = new Map<string, LeaseRenewal>();
  /** To the KMS; without one, leases come on a stick alone. */
  #carrier: LeaseCarrier | undefined;

  constructor(options: LeasesOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { carrier } = this.#options;
    if (carrier) this.#begin(carrier);
  }

  /** The tenant is gone: nobody asks for its leases any more. */
  async drop(tenant: string): Promise<void> {
    await this.#renewals.get(tenant)?.stop();
    this.#renewals.delete(tenant);
  }

  async stop(): Promise<void> {
    await Promise.all(Array.from(this.#renewals.values(), (renewal) => renewal.stop()));
  }

  /** The box has a link to its control plane: leases come that way, unless the configuration names another. */
  enrolled(carrier: LeaseCarrier): void {
    if (this.#options.carrier === undefined) this.#begin(carrier);
  }

  /** The box has left: what came that way ends at once, and the tenants wait for whatever comes next. */
  async left(): Promise<void> {
    if (this.#options.carrier !== undefined) return;
    this.#carrier = undefined;
    const { tenants, logger } = this.#options;
    for (const tenant of this.#leased) {
      try {
        await this.#end(tenant, new SecureGateError('not_enrolled', 'This box has left its org'));
        await tenants.restart(tenant);
      } catch (error) {
        logger.warn({ err: error, tenant }, 'what this box kept of the lease was perhaps not forgotten');
      }
    }
  }

  /** The control plane has said itself that this box is denied: what came that way ends at once, for ever. */
  async denied(reason: SecureGateError): Promise<void> {
    if (this.#options.carrier !== undefined) return;
    const open = Array.from(this.#renewals.values()).filter(({ failure }) => failure?.code !== reason.code);
    await Promise.all(open.map((renewal) => renewal.refused(reason)));
  }

  /** A tenant was added whose key comes under a lease. */
  add(tenant: string): void {
    const { tenants, random, logger } = this.#options;
    const carrier = this.#carrier;
    if (carrier === undefined || this.#renewals.has(tenant)) return;
    const renewal = new LeaseRenewal({ tenant, vault: tenants.vault(tenant), carrier, random, logger });
    this.#renewals.set(tenant, renewal);
    renewal.start();
  }

  /** Closes a tenant, for as long as nobody adds it again, and forgets its key. @throws {SecureGateError} as `revoke` */
  async close(tenant: string): Promise<void> {
    this.#requireLeased(tenant);
    await this.#end(tenant, new SecureGateError('lease_revoked', 'This box has to do with this tenant no more'));
  }

  /** Whether leases are asked for, for this tenant. */
  holds(tenant: string): boolean {
    return this.#renewals.has(tenant);
  }

  #begin(carrier: LeaseCarrier): void {
    this.#carrier = carrier;
    for (const tenant of this.#leased) this.add(tenant);
  }

  async #end(tenant: string, reason: SecureGateError): Promise<void> {
    await this.drop(tenant);
    await this.#options.tenants.vault(tenant).revoke(reason);
  }

  list(): Promise<readonly LeaseStatus[]> {
    return Promise.all(this.#leased.map((tenant) => this.get(tenant)));
  }

  async get(tenant: string): Promise<LeaseStatus> {
    this.#requireLeased(tenant);
    const { state, reason } = this.#options.tenants.get(tenant);
    // A vault that ends in this moment is away, not in the way of the others.
    const lease =
      state === 'ready'
        ? await this.#options.tenants
            .vault(tenant)
            .lease()
            .catch(() => null)
        : null;
    return {
      tenant,
      state,
      reason,
      enforcement: lease?.enforcement ?? null,
      epoch: lease?.epoch ?? null,
      newest: lease?.newest ?? null,
      renewedAt: lease ? new Date(lease.issuedAt).toISOString() : null,
      endsAt: lease ? new Date(lease.endsAt).toISOString() : null,
      comes: this.#carrier ? 'kms' : 'stick',
      failure: this.failureOf(tenant),
    };
  }

  async request(tenant: string): Promise<StickRequest> {
    this.#requireLeased(tenant);
    return await this.#options.tenants.vault(tenant).requestOnStick();
  }

  async accept(tenant: string, { answers }: StickAnswer): Promise<LeaseStatus> {
    this.#requireLeased(tenant);
    const vault = this.#options.tenants.vault(tenant);
    const came: number[] = [];
    for (const answer of answers) came.push((await vault.acceptLease(answer)).epoch);
    const lease = await vault.lease();
    if (lease && came.some((epoch) => epoch > lease.epoch)) await vault.moveEpoch();
    return this.get(tenant);
  }

  async handOver(tenant: string, recovery: SignedRecovery): Promise<string> {
    this.#requireLeased(tenant);
    return await this.#options.tenants.vault(tenant).handOver(recovery);
  }

  /** Asks for a new lease now. @throws {SecureGateError} `tenant_not_found`, `lease_not_used`, `kms_unavailable`, and why none has come */
  async renew(tenant: string): Promise<void> {
    await this.#renewalOf(tenant).renew();
  }

  /** Closes the tenant until it is renewed. @throws {SecureGateError} as `renew`, and `vault_unavailable` */
  async revoke(tenant: string): Promise<void> {
    await this.#renewalOf(tenant).revoke();
  }

  #renewalOf(tenant: string): LeaseRenewal {
    this.#requireLeased(tenant);
    const renewal = this.#renewals.get(tenant);
    if (renewal === undefined) throw new SecureGateError('kms_unavailable', 'Leases of this box come on a stick alone');
    return renewal;
  }

  get #leased(): readonly string[] {
    return this.#options.tenants
      .list()
      .filter(({ keys }) => keys === 'lease')
      .map(({ id }) => id);
  }

  /** Why the last try to renew a lease failed; null where it did not, or nobody tries. */
  failureOf(tenant: string): string | null {
    return this.#renewals.get(tenant)?.failure?.code ?? null;
  }

  /** Whether the next lease comes without anybody doing something, as far as the last try tells. */
  renews(tenant: string): boolean {
    return this.#renewals.has(tenant) && this.failureOf(tenant) === null;
  }

  /** @throws {SecureGateError} `tenant_not_found`, `lease_not_used` */
  #requireLeased(tenant: string): void {
    this.#options.tenants.get(tenant);
    if (this.#leased.includes(tenant)) return;
    throw new SecureGateError('lease_not_used', 'The key of this tenant is a file', { details: { tenant } });
  }
}
