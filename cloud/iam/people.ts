import { type Kysely, type Selectable, type SelectQueryBuilder, sql, type Transaction } from 'kysely';
import { z } from 'zod';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { principalIdSchema, slugSchema } from '../../shared/ids/ids.ts';
import type { Database } from '../store/database.ts';
import { isUniqueViolation } from '../store/is-unique-violation.ts';
import { type Page, type PageQuery, pageOf } from '../store/page.ts';
import { PreparedQuery } from '../store/prepared-query.ts';
import type { Grant } from './authorise.ts';
import { holdOrg } from './hold-org.ts';
import { ROLE_NAMES, ROLES, type Role } from './roles.ts';

export const PRINCIPAL_KINDS = ['user', 'service'] as const;
export type PrincipalKind = (typeof PRINCIPAL_KINDS)[number];

export const emailSchema = z.email().max(254).toLowerCase();

export const givenRoleSchema = z
  .strictObject({ role: z.enum(ROLE_NAMES), tenant: slugSchema.optional().describe('Only in this tenant.') })
  .meta({ id: 'GivenRole', examples: [{ role: 'reviewer', tenant: 'main-hall' }] });
export type GivenRole = z.output<typeof givenRoleSchema>;

export const principalSchema = z
  .strictObject({
    id: principalIdSchema,
    kind: z.enum(PRINCIPAL_KINDS),
    name: z.string(),
    email: z.string().nullable(),
    active: z.boolean(),
    roles: z.array(givenRoleSchema),
    version: z.int(),
    createdAt: z.iso.datetime(),
  })
  .meta({
    id: 'Principal',
    examples: [
      {
        id: 'usr_aaaaaaaaaaaaaaaaaaaaaaaaaa',
        kind: 'user',
        name: 'Bea',
        email: 'bea@acme.example',
        active: true,
        roles: [{ role: 'auditor' }],
        version: 1,
        createdAt: '2027-03-01T08:00:00.000Z',
      },
    ],
  });
export type Principal = z.output<typeof principalSchema>;

/** Somebody, as requests see him: to which org he belongs ('' for the platform) and what he was given. */
export interface Account {
  readonly id: string;
  readonly org: string;
  readonly grants: readonly Grant[];
}

type Row = Selectable<Database['principals']>;

/** Users and service accounts, and their roles. `org` is that of the account; '' for those of the platform. */
export class People {
  readonly #db: Kysely<Database>;
  readonly #now: () => number;
  readonly #accounts: PreparedQuery<AccountRow, Account | undefined>;

  constructor(db: Kysely<Database>, now: () => number) {
    this.#db = db;
    this.#now = now;
    this.#accounts = new PreparedQuery(db, accountQuery, accountOf);
  }

  /** @throws {SecureGateError} `conflict` when this address has an account in this org */
  async create(
    org: string,
    id: string,
    person: { kind: PrincipalKind; name: string; email?: string | undefined },
    roles: readonly GivenRole[] = [],
  ): Promise<Principal> {
    await this.#db.transaction().execute((within) => this.#insert(within, org, id, person, roles));
    return await this.get(org, id);
  }

  /** @throws {SecureGateError} `principal_not_found` */
  async get(org: string, id: string): Promise<Principal> {
    const row = await this.#db.selectFrom('principals').selectAll().where('org', '=', org).where('id', '=', id).executeTakeFirst();
    if (row === undefined) throw notFound();
    return viewOf(row, await this.#grantsOf([id]));
  }

  async list(org: string, kind: PrincipalKind, { cursor = '', limit }: PageQuery): Promise<Page<Principal>> {
    const found = await this.#db
      .selectFrom('principals')
      .selectAll()
      .where('org', '=', org)
      .where('kind', '=', kind)
      .where('id', '>', cursor)
      .orderBy('id')
      .limit(limit + 1)
      .execute();
    const grants = await this.#grantsOf(found.map(({ id }) => id));
    return pageOf(found, limit, { id: ({ id }) => id, view: (row) => viewOf(row, grants) });
  }

  /** @throws {SecureGateError} `principal_not_found`, `version_conflict`, `conflict` when the org would be left without an admin */
  async change(
    org: string,
    id: string,
    change: { name?: string | undefined; active?: boolean | undefined },
    version?: number,
  ): Promise<Principal> {
    const { name, active } = change;
    await this.get(org, id);
    await this.#db.transaction().execute(async (within) => {
      if (active === false) await holdOrg(within, org);
      let update = within
        .updateTable('principals')
        .set((row) => ({
          ...(name === undefined ? {} : { name }),
          ...(active === undefined ? {} : { active: Number(active) }),
          version: row('version', '+', 1),
        }))
        .where('org', '=', org)
        .where('id', '=', id);
      if (version !== undefined) update = update.where('version', '=', version);
      const { numUpdatedRows } = await update.executeTakeFirst();
      if (numUpdatedRows === 0n) throw new SecureGateError('version_conflict', 'This account was changed in the meantime');
      if (active === false) await requireAdmin(within, org);
    });
    return await this.get(org, id);
  }

  /** Gives a role; one that is there already stays. @throws {SecureGateError} `principal_not_found`, `tenant_not_found`, `invalid_request` */
  async giveRole(org: string, id: string, role: GivenRole): Promise<Principal> {
    requireReach(org, role);
    await this.get(org, id);
    await give(this.#db, org, id, role);
    return await this.get(org, id);
  }

  /** @throws {SecureGateError} `principal_not_found`, `conflict` when the org would be left without an admin */
  async takeRole(org: string, id: string, { role, tenant = '' }: GivenRole): Promise<Principal> {
    await this.get(org, id);
    await this.#db.transaction().execute(async (within) => {
      await holdOrg(within, org);
      await within
        .deleteFrom('grants')
        .where('principal', '=', id)
        .where('role', '=', role)
        .where('org', '=', org)
        .where('tenant', '=', tenant)
        .execute();
      await requireAdmin(within, org);
    });
    return await this.get(org, id);
  }

  /**
   * Names the first admin of an org that has none. Nobody of the platform can be it: whoever runs the deployment does not decide for an org.
   * @throws {SecureGateError} `org_not_found`, `conflict`
   */
  async nameFirstAdmin(org: string, id: string, { name, email }: { name: string; email: string }): Promise<Principal> {
    await this.#db.transaction().execute(async (within) => {
      if (!(await holdOrg(within, org))) throw new SecureGateError('org_not_found', 'There is no such org');
      if (await hasAdmin(within, org)) throw new SecureGateError('conflict', 'This org has an admin, who names all others');
      const operator = await within
        .selectFrom('principals')
        .select('id')
        .where('org', '=', '')
        .where('email', '=', email)
        .executeTakeFirst();
      if (operator !== undefined) throw new SecureGateError('conflict', 'This address belongs to somebody of the platform');
      await this.#insert(within, org, id, { kind: 'user', name, email }, [{ role: 'org:admin' }]);
    });
    return await this.get(org, id);
  }

  /** The account of whoever shows a token; undefined when it is closed, or none. */
  account(id: string): Account | undefined | Promise<Account | undefined> {
    return this.#accounts.ask(id);
  }

  async #insert(
    within: Transaction<Database>,
    org: string,
    id: string,
    { kind, name, email = '' }: { kind: PrincipalKind; name: string; email?: string | undefined },
    roles: readonly GivenRole[],
  ): Promise<void> {
    const row: Row = { id, kind, org, name, email, active: 1, version: 1, created_at: this.#now() };
    for (const role of roles) requireReach(org, role);
    try {
      await within
        .insertInto('principals')
        .values(row)
        // Another process may work on a repetition of this request.
        .onConflict((conflict) => conflict.column('id').doNothing())
        .execute();
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new SecureGateError('conflict', 'There is an account of this address already', { cause: error });
    }
    for (const role of roles) await give(within, org, id, role);
  }

  async #grantsOf(ids: readonly string[]): Promise<ReadonlyMap<string, Selectable<Database['grants']>[]>> {
    if (ids.length === 0) return new Map();
    const rows = await this.#db.selectFrom('grants').selectAll().where('principal', 'in', ids).orderBy('role').orderBy('tenant').execute();
    return Map.groupBy(rows, ({ principal }) => principal);
  }
}

/** An account with one of its grants, or with none. */
interface AccountRow {
  readonly id: string;
  readonly org: string;
  readonly role: string | null;
  readonly grantOrg: string | null;
  readonly tenant: string | null;
}

function accountQuery(db: Kysely<Database>): SelectQueryBuilder<Database, 'principals' | 'grants', AccountRow> {
  return db
    .selectFrom('principals')
    .leftJoin('grants', 'grants.principal', 'principals.id')
    .select(['principals.id', 'principals.org', 'grants.role', 'grants.org as grantOrg', 'grants.tenant'])
    .where('principals.active', '=', sql.lit(1))
    .where('principals.id', '=', '');
}

function accountOf(rows: readonly AccountRow[]): Account | undefined {
  const [first] = rows;
  if (first === undefined) return undefined;
  // Of somebody without a role there is one row, which tells no grant.
  const grants = rows.flatMap(({ role, grantOrg, tenant }) =>
    role === null || grantOrg === null || tenant === null ? [] : [{ role: role as Role, org: grantOrg, tenant }],
  );
  return { id: first.id, org: first.org, grants };
}

/** Of a role that was never given for a deployment, an org has no use, and the other way round. */
function requireReach(org: string, { role, tenant }: GivenRole): void {
  const reach = org === '' ? 'platform' : tenant === undefined ? 'org' : 'tenant';
  if (!(ROLES[role].reach as readonly string[]).includes(reach)) {
    throw new SecureGateError('invalid_request', 'This role cannot be given there', { details: { role, reach: ROLES[role].reach } });
  }
}

async function give(db: Kysely<Database>, org: string, principal: string, { role, tenant = '' }: GivenRole): Promise<void> {
  if (tenant !== '') {
    const known = await db.selectFrom('tenants').select('id').where('org', '=', org).where('id', '=', tenant).executeTakeFirst();
    if (known === undefined) throw new SecureGateError('tenant_not_found', 'There is no such tenant');
  }
  await db
    .insertInto('grants')
    .values({ principal, role, org, tenant })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

async function hasAdmin(db: Kysely<Database>, org: string): Promise<boolean> {
  const found = await db
    .selectFrom('grants')
    .innerJoin('principals', 'principals.id', 'grants.principal')
    .select('grants.principal')
    .where('grants.role', '=', 'org:admin')
    .where('grants.org', '=', org)
    .where('principals.active', '=', 1)
    .limit(1)
    .executeTakeFirst();
  return found !== undefined;
}

/** @throws {SecureGateError} `conflict` */
async function requireAdmin(db: Kysely<Database>, org: string): Promise<void> {
  if (org !== '' && !(await hasAdmin(db, org))) throw new SecureGateError('conflict', 'An org keeps at least one admin that is active');
}

function notFound(): SecureGateError {
  return new SecureGateError('principal_not_found', 'There is no such account');
}

function viewOf(
  { id, kind, name, email, active, version, created_at }: Row,
  grants: ReadonlyMap<string, Selectable<Database['grants']>[]>,
): Principal {
  const roles = (grants.get(id) ?? []).map(({ role, tenant }) => ({ role, ...(tenant === '' ? {} : { tenant }) }));
  return principalSchema.parse({
    ...{ id, kind, name, version, roles },
    email: email === '' ? null : email,
    active: active === 1,
    createdAt: new Date(created_at).toISOString(),
  });
}
