import type { Kysely, Selectable } from 'kysely';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Changes } from '../store/changes.ts';
import type { Database } from '../store/database.ts';
import { isUniqueViolation } from '../store/is-unique-violation.ts';
import { type Page, type PageQuery, pageOf } from '../store/page.ts';
import { type Org, type OrgFields, orgSchema } from './org.ts';

/** The orgs of this deployment. They are never removed, and so is no id used twice. */
export class Orgs {
  readonly #db: Kysely<Database>;
  readonly #now: () => number;

  constructor(db: Kysely<Database>, now: () => number) {
    this.#db = db;
    this.#now = now;
  }

  /** @throws {SecureGateError} `conflict` when the id is taken */
  async create(id: string, fields: OrgFields): Promise<Org> {
    const row = { id, ...columnsOf(fields), version: 1, created_at: this.#now() };
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
  async change(id: string, changes: Changes<OrgFields>, version?: number): Promise<Org> {
    await this.get(id);
    let update = this.#db
      .updateTable('orgs')
      .set((row) => ({ ...columnsOf(changes), version: row('version', '+', 1) }))
      .where('id', '=', id);
    if (version !== undefined) update = update.where('version', '=', version);
    const { numUpdatedRows } = await update.executeTakeFirst();
    if (numUpdatedRows === 0n) throw new SecureGateError('version_conflict', 'This org was changed in the meantime');
    return await this.get(id);
  }
}

type Columns = Omit<Selectable<Database['orgs']>, 'id' | 'version' | 'created_at'>;

/** What is undefined, Kysely does not write. */
function columnsOf(fields: OrgFields): Columns;
function columnsOf(fields: Changes<OrgFields>): Changes<Columns>;
function columnsOf({ name, branding, features, plan, jurisdiction, keyPolicy }: Changes<OrgFields>): Changes<Columns> {
  const json = { branding: JSON.stringify(branding), features: JSON.stringify(features), key_policy: JSON.stringify(keyPolicy) };
  return { name, plan, jurisdiction, ...json };
}

function viewOf(row: Selectable<Database['orgs']>): Org {
  const { id, name, plan, jurisdiction, version, created_at } = row;
  const [branding, features, keyPolicy] = [row.branding, row.features, row.key_policy].map((text) => JSON.parse(text) as unknown);
  return orgSchema.parse({
    ...{ id, name, plan, jurisdiction, version, branding, features, keyPolicy },
    createdAt: new Date(created_at).toISOString(),
  });
}
