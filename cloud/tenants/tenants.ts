import type { Kysely, Selectable, SelectQueryBuilder } from 'kysely';
import { z } from 'zod';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { whenThere } from '../../shared/runtime/when-there.ts';
import type { KmsClient } from '../kms/client.ts';
import type { Database } from '../store/database.ts';
import { isUniqueViolation } from '../store/is-unique-violation.ts';
import { type Page, type PageQuery, pageOf } from '../store/page.ts';
import { PreparedQuery } from '../store/prepared-query.ts';
import { patched } from './merge-patch.ts';
import { policiesSchema, type Tenant, type TenantFields, type TenantPatch, tenantSchema } from './org.ts';

const FIRST_EPOCH = 1;
/** What there is about a tenant that goes with it. What it used stays for its invoices. */
const OF_TENANT = ['hostnames', 'cameras', 'sightings', 'sighting_days'] as const;
const checked = z.compile(tenantSchema);

type Row = Selectable<Database['tenants']>;

/** The tenants of orgs. Their keys are made with them, and go with them alone: a tenant is shredded, never just removed. */
export class Tenants {
  readonly #db: Kysely<Database>;
  readonly #kms: Pick<KmsClient, 'call'>;
  readonly #now: () => number;
  readonly #one: PreparedQuery<HostnameRow, Tenant | undefined>;

  constructor(db: Kysely<Database>, kms: Pick<KmsClient, 'call'>, now: () => number) {
    this.#db = db;
    this.#kms = kms;
    this.#now = now;
    this.#one = new PreparedQuery(db, tenantQuery, tenantOf);
  }

  /**
   * Makes a tenant and its key. What is about to be made is written down first: a crash leaves a tenant in the state `making`,
   * which {@link finish} finishes.
   * @throws {SecureGateError} `org_not_found`, `conflict` (id or host name taken), and the KMS's: `admins_missing`, `kms_unavailable`
   */
  async create(org: string, id: string, fields: TenantFields): Promise<Tenant> {
    // An org whose admins the KMS does not know gets no key; told before anything is written down.
    await this.#kms.call('getAdmins', { org });
    await this.#insert(org, id, fields);
    await this.#makeKey(org, id);
    return await this.get(org, id);
  }

  /** Makes the keys that a crash, or a KMS out of reach, left unmade. @returns how many are still without */
  async finish(stop: AbortSignal): Promise<number> {
    const unfinished = await this.#db.selectFrom('tenants').select(['org', 'id']).where('state', '=', 'making').execute();
    let left = 0;
    for (const { org, id } of unfinished) {
      if (stop.aborted) break;
      await this.#makeKey(org, id).catch(() => left++);
    }
    return left;
  }

  /** How many tenants wait for their key. */
  async unfinished(): Promise<number> {
    const { count } = await this.#db
      .selectFrom('tenants')
      .select((row) => row.fn.countAll().as('count'))
      .where('state', '=', 'making')
      .executeTakeFirstOrThrow();
    return Number(count);
  }

  /** At once where it is remembered. @throws {SecureGateError} `tenant_not_found` */
  get(org: string, id: string): Tenant | Promise<Tenant> {
    return whenThere(this.#one.ask(org, id), (tenant) => {
      if (tenant === undefined) throw new SecureGateError('tenant_not_found', 'There is no such tenant');
      return tenant;
    });
  }

  async list(org: string, { cursor = '', limit }: PageQuery): Promise<Page<Tenant>> {
    const query = this.#db
      .selectFrom('tenants')
      .selectAll()
      .where('org', '=', org)
      .where('id', '>', cursor)
      .orderBy('id')
      .limit(limit + 1);
    const found = await query.execute();
    const hostnames = await this.#hostnamesOf(
      org,
      found.map(({ id }) => id),
    );
    return pageOf(found, limit, { id: ({ id }) => id, view: (row) => viewOf(row, hostnames) });
  }

  /**
   * @param version on which the change is based; without it the change is made in any case
   * @throws {SecureGateError} `tenant_not_found`, `tenant_destroyed`, `version_conflict`, `conflict` (host name taken), `two_person_rule_stays`
   */
  async change(org: string, id: string, changes: TenantPatch, version?: number): Promise<Tenant> {
    const { name, policies, hostnames } = changes;
    const { state } = await this.get(org, id);
    if (state === 'shredded') throw new SecureGateError('tenant_destroyed', 'This tenant was shredded', { details: { org, tenant: id } });
    await this.#takingHostnames(() =>
      this.#db.transaction().execute(async (within) => {
        let update = within
          .updateTable('tenants')
          .set((row) => ({ name, version: row('version', '+', 1) }))
          .where('org', '=', org)
          .where('id', '=', id)
          .where('state', '<>', 'shredded');
        if (version !== undefined) update = update.where('version', '=', version);
        const before = await update.returning('policies').executeTakeFirst();
        if (before === undefined) throw new SecureGateError('version_conflict', 'This tenant was changed in the meantime');
        if (policies !== undefined) await changePolicies(within, org, id, before.policies, policies);
        if (hostnames === undefined) return;
        await within.deleteFrom('hostnames').where('org', '=', org).where('tenant', '=', id).execute();
        await addHostnames(within, org, id, hostnames);
      }),
    );
    return await this.get(org, id);
  }

  /** The tenant's keys are destroyed: nothing of it is left but its id, which is never used again, and what it used; its host names are free. */
  async bury(org: string, id: string): Promise<void> {
    await this.#db.transaction().execute(async (within) => {
      await within
        .updateTable('tenants')
        .set((row) => ({ state: 'shredded', version: row('version', '+', 1) }))
        .where('org', '=', org)
        .where('id', '=', id)
        .where('state', '<>', 'shredded')
        .execute();
      for (const table of OF_TENANT) await within.deleteFrom(table).where('org', '=', org).where('tenant', '=', id).execute();
    });
  }

  async #insert(org: string, id: string, { name, policies, hostnames }: TenantFields): Promise<void> {
    const row: Row = { org, id, name, policies: JSON.stringify(policies), state: 'making', version: 1, created_at: this.#now() };
    await this.#takingHostnames(() =>
      this.#db.transaction().execute(async (within) => {
        const known = await within.selectFrom('orgs').select('id').where('id', '=', org).executeTakeFirst();
        if (known === undefined) throw new SecureGateError('org_not_found', 'There is no such org');
        await within.insertInto('tenants').values(row).execute();
        await addHostnames(within, org, id, hostnames);
      }),
    );
  }

  async #makeKey(org: string, tenant: string): Promise<void> {
    await this.#kms.call('createEpoch', { org, tenant, epoch: FIRST_EPOCH });
    await this.#db
      .updateTable('tenants')
      .set({ state: 'active' })
      .where('org', '=', org)
      .where('id', '=', tenant)
      .where('state', '=', 'making')
      .execute();
  }

  async #takingHostnames(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new SecureGateError('conflict', 'This id, or one of these host names, is taken', { cause: error });
    }
  }

  async #hostnamesOf(org: string, tenants: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    if (tenants.length === 0) return new Map();
    const rows = await this.#db
      .selectFrom('hostnames')
      .select(['hostname', 'tenant'])
      .where('org', '=', org)
      .where('tenant', 'in', tenants)
      .orderBy('hostname')
      .execute();
    const byTenant = Map.groupBy(rows, ({ tenant }) => tenant);
    return new Map([...byTenant].map(([tenant, own]) => [tenant, own.map(({ hostname }) => hostname)]));
  }
}

/** Who may change a tenant alone must not be able to shred it alone. */
async function changePolicies(
  db: Kysely<Database>,
  org: string,
  id: string,
  stored: string,
  change: NonNullable<TenantPatch['policies']>,
): Promise<void> {
  const before = policiesSchema.parse(JSON.parse(stored));
  const policies = patched(before, change);
  if (before.twoPersonRule && !policies.twoPersonRule) {
    throw new SecureGateError('two_person_rule_stays', 'The two-person rule of a tenant is never turned off', {
      details: { org, tenant: id },
    });
  }
  await db
    .updateTable('tenants')
    .set({ policies: JSON.stringify(policies) })
    .where('org', '=', org)
    .where('id', '=', id)
    .execute();
}

/** A tenant with one of its host names, or with none. */
type HostnameRow = Row & { readonly hostname: string | null };

function tenantQuery(db: Kysely<Database>): SelectQueryBuilder<Database, 'tenants' | 'hostnames', HostnameRow> {
  return db
    .selectFrom('tenants')
    .leftJoin('hostnames', (join) => join.onRef('hostnames.org', '=', 'tenants.org').onRef('hostnames.tenant', '=', 'tenants.id'))
    .selectAll('tenants')
    .select('hostnames.hostname')
    .where('tenants.org', '=', '')
    .where('tenants.id', '=', '')
    .orderBy('hostnames.hostname');
}

function tenantOf(rows: readonly HostnameRow[]): Tenant | undefined {
  const [row] = rows;
  // Of a tenant without host names there is one row, which names none.
  const hostnames = rows.flatMap(({ hostname }) => hostname ?? []);
  return row && viewOf(row, new Map([[row.id, hostnames]]));
}

async function addHostnames(db: Kysely<Database>, org: string, tenant: string, hostnames: readonly string[]): Promise<void> {
  if (hostnames.length === 0) return;
  await db
    .insertInto('hostnames')
    .values(hostnames.map((hostname) => ({ hostname, org, tenant })))
    .execute();
}

function viewOf({ org, id, name, policies, state, version, created_at }: Row, hostnames: ReadonlyMap<string, readonly string[]>): Tenant {
  return checked.parse({
    ...{ org, id, name, state, version, policies: JSON.parse(policies) as unknown },
    hostnames: hostnames.get(id) ?? [],
    createdAt: new Date(created_at).toISOString(),
  });
}
