import type { Kysely, Selectable } from 'kysely';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Database } from '../store/database.ts';
import { isUniqueViolation } from '../store/is-unique-violation.ts';
import { type Page, type PageQuery, pageOf } from '../store/page.ts';
import { patched } from './merge-patch.ts';
import { type Org, type OrgFields, type OrgPatch, orgSchema } from './org.ts';

/** The orgs of this deployment. They are never removed, and so is no id used twice. */
export class Orgs {
  readonly #db: Kysely<Database>;
  readonly #now: () => number;

  constructor(db: Kysely<Database>, now: () => number) {
    this.#db = db;
    this.#now = now;
  }

  /** @throws {SecureGateError} `conflict` when the id is taken */
  async create(id: string, { features, branding, keyPolicy, ...plain }: OrgFields): Promise<Org> {
    const json = { features: JSON.stringify(features), ...policyColumns({ branding, keyPolicy }) };
    const row = { id, ...plain, ...json, version: 1, created_at: this.#now() };
    try {
      await this.#db.insertInto('orgs').values(row).execute();
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new SecureGateError('conflict', 'There is an org of this id already', { cause: error, details: { id } });
    }
    return viewOf(row);
  }

  /** @throws {SecureGateError} `org_not_found` */
  async get(id: string): Promise<Org> {
    const row = await this.#db.selectFrom('orgs').selectAll().where('id', '=', id).executeTakeFirst();
    if (row === undefined) throw new SecureGateError('org_not_found', 'There is no such org');
    return viewOf(row);
  }

  async list({ cursor = '', limit }: PageQuery): Promise<Page<Org>> {
    const query = this.#db
      .selectFrom('orgs')
      .selectAll()
      .where('id', '>', cursor)
      .orderBy('id')
      .limit(limit + 1);
    return pageOf(await query.execute(), limit, { id: ({ id }) => id, view: viewOf });
  }

  /**
   * @param version on which the change is based; without it the change is made in any case
   * @throws {SecureGateError} `org_not_found`, `version_conflict`
   */
  async change(id: string, { features, branding = {}, keyPolicy = {}, ...plain }: OrgPatch, version?: number): Promise<Org> {
    await this.get(id);
    await this.#db.transaction().execute(async (within) => {
      // What is undefined, Kysely does not write.
      let update = within
        .updateTable('orgs')
        .set((row) => ({ ...plain, features: features && JSON.stringify(features), version: row('version', '+', 1) }))
        .where('id', '=', id);
      if (version !== undefined) update = update.where('version', '=', version);
      const row = await update.returningAll().executeTakeFirst();
      if (row === undefined) throw new SecureGateError('version_conflict', 'This org was changed in the meantime');
      const before = viewOf(row);
      const after = { branding: patched(before.branding, branding), keyPolicy: patched(before.keyPolicy, keyPolicy) };
      await within.updateTable('orgs').set(policyColumns(after)).where('id', '=', id).execute();
    });
    return await this.get(id);
  }
}

function policyColumns({ branding, keyPolicy }: Pick<OrgFields, 'branding' | 'keyPolicy'>) {
  return { branding: JSON.stringify(branding), key_policy: JSON.stringify(keyPolicy) };
}

function viewOf(row: Selectable<Database['orgs']>): Org {
  const { id, name, plan, jurisdiction, version, created_at } = row;
  const [branding, features, keyPolicy] = [row.branding, row.features, row.key_policy].map((text) => JSON.parse(text) as unknown);
  return orgSchema.parse({
    ...{ id, name, plan, jurisdiction, version, branding, features, keyPolicy },
    createdAt: new Date(created_at).toISOString(),
  });
}
