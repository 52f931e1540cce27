import { randomUUID } from 'node:crypto';
import { expect, onTestFinished } from 'vitest';
import { Intake } from '../../cloud/fleet/intake/intake.ts';
import { Reception } from '../../cloud/fleet/reception.ts';
import { Retention } from '../../cloud/fleet/retention/retention.ts';
import type { KmsClient } from '../../cloud/kms/client.ts';
import { JobLeases } from '../../cloud/store/job-leases.ts';
import { openStore, type Store, type StoreAddress } from '../../cloud/store/open-store.ts';
import { newOrgSchema, newTenantSchema } from '../../cloud/tenants/org.ts';
import { Orgs } from '../../cloud/tenants/orgs.ts';
import { Tenants } from '../../cloud/tenants/tenants.ts';
import { MemoryTransport } from './memory-transport.ts';
import { testLogger } from './secrecy/test-logger.ts';

interface Process {
  readonly intake: Intake;
  readonly reception: Reception;
  readonly retention: Retention;
}

/** A control plane of an org `acme` that hears what boxes tell of their tenants, with the time in the test's hand. */
export class IntakePlace {
  readonly transport: MemoryTransport;
  readonly store: Store;
  /** The tenants to which boxes are assigned, by the box. */
  readonly assigned = new Map<string, string[]>();
  /** Milliseconds since the Unix epoch. */
  at = Date.now();
  #processes: Process[] = [];

  private constructor(transport: MemoryTransport, store: Store) {
    this.transport = transport;
    this.store = store;
  }

  static async make(address: StoreAddress, transport = new MemoryTransport()): Promise<IntakePlace> {
    const place = new IntakePlace(transport, await openStore(address));
    onTestFinished(() => place.end());
    for (const org of ['acme', 'other']) {
      const { id, ...fields } = newOrgSchema.parse({ id: org, name: org, jurisdiction: 'CH' });
      await new Orgs(place.store.db, place.now).create(id, fields);
    }
    await place.start();
    return place;
  }

  readonly now = (): number => this.at;

  get intake(): Intake {
    return this.#first.intake;
  }

  /** Removes what is not kept any longer. */
  async sweep(): Promise<void> {
    await this.#first.retention.sweep();
  }

  /** @param policies of the tenant, where they are not the usual ones */
  async addTenant(tenant: string, policies: { readonly sightingsDays?: number } = {}): Promise<void> {
    const { id, ...fields } = newTenantSchema.parse({ id: tenant, name: tenant, policies });
    await new Tenants(this.store.db, this.#kms, this.now).create('acme', id, fields);
  }

  /** A process of the control plane, beside those that there are. */
  async start(): Promise<void> {
    const { db } = this.store;
    const courier = this.transport.courier();
    const leases = new JobLeases(db, { owner: randomUUID(), now: this.now });
    const logger = testLogger('cloud');
    const intake = new Intake({ db, kms: this.#kms, courier, now: this.now, logger });
    const retention = new Retention({ db, leases, commandDays: 400, countDays: 3660, now: this.now, logger });
    const boxes = { find: async (device: string) => (this.assigned.has(device) ? { org: 'acme', signingKeys: [] } : undefined) };
    const reception = new Reception({ courier, boxes, takers: [intake.takers], logger });
    reception.start();
    this.#processes.push({ intake, reception, retention });
  }

  /** Ends all processes, as a crash does: what they had begun is done or not. */
  async stop(): Promise<void> {
    this.transport.forgetHandlers();
    const processes = this.#processes;
    this.#processes = [];
    for (const { reception, retention } of processes) {
      await reception.stop();
      await retention.stop();
    }
  }

  /** Of all cameras and days. */
  async sightings(tenant: string): Promise<number> {
    const counts = await this.intake.sightingCounts.perDay('acme', tenant, { from: '2000-01-01', to: '2100-01-01' });
    return counts.reduce((sum, { known, unknown }) => sum + known + unknown, 0);
  }

  /** Of all days. */
  async used(tenant: string, counter: string): Promise<number> {
    const days = await this.intake.usage.between('acme', tenant, { from: '2000-01-01', to: '2100-01-01' });
    return days.reduce((sum, { counters }) => sum + (counters[counter] ?? 0), 0);
  }

  async end(): Promise<void> {
    await this.stop();
    await this.store.close();
    expect(this.transport.failures).toEqual([]);
  }

  get #first(): Process {
    const [process] = this.#processes;
    if (process === undefined) throw new Error('no control plane');
    return process;
  }

  readonly #kms: Pick<KmsClient, 'call'> = {
    call: (async (operation: string, { device }: { device: string }) =>
      operation === 'assignedTenants' ? (this.assigned.get(device) ?? []) : {}) as KmsClient['call'],
  };
}
