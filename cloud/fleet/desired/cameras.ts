import type { Kysely } from 'kysely';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { CameraFields } from '../../../shared/fleet/desired-camera.ts';
import type { Changes } from '../../store/changes.ts';
import type { Database } from '../../store/database.ts';
import { isUniqueViolation } from '../../store/is-unique-violation.ts';
import { type Page, type PageQuery, pageOf } from '../../store/page.ts';
import type { KnownBoxes } from '../known-boxes.ts';
import { type Camera, type CameraRow, columnsOf, fieldsOf, viewOf } from './camera.ts';

/** A box takes no more of one tenant. */
const MOST_OF_TENANT = 64;
/** Characters of all cameras of a box: with its tenants they have to fit into one message. */
const MOST_CHARACTERS = 36_000;

export interface CamerasOptions {
  readonly db: Kysely<Database>;
  readonly boxes: KnownBoxes;
  /** Called when a box should have other cameras. */
  readonly onChange: (device: string) => Promise<void>;
  readonly now: () => number;
}

/** The cameras that boxes should have for their tenants. */
export class Cameras {
  readonly #options: CamerasOptions;

  constructor(options: CamerasOptions) {
    this.#options = options;
  }

  /** @throws {SecureGateError} `tenant_not_found`, `device_not_found`, `conflict` (slug taken, or too many), `desired_too_large` */
  async create(org: string, tenant: string, id: string, { device, ...fields }: CameraFields & { device: string }): Promise<Camera> {
    const { db, boxes, now, onChange } = this.#options;
    if ((await boxes.find(device))?.org !== org) throw new SecureGateError('device_not_found', 'There is no such box');
    const known = await db.selectFrom('tenants').select('id').where('org', '=', org).where('id', '=', tenant).executeTakeFirst();
    if (known === undefined) throw new SecureGateError('tenant_not_found', 'There is no such tenant');
    const row: CameraRow = { id, org, tenant, device, ...columnsOf(fields), version: 1, created_at: now() };
    await refuseTooMany(db, row);
    await takingSlug(() => db.insertInto('cameras').values(row).execute());
    await onChange(device);
    return viewOf(row);
  }

  /** @throws {SecureGateError} `record_not_found` */
  async get(org: string, tenant: string, id: string): Promise<Camera> {
    return viewOf(await this.#find(org, tenant, id));
  }

  async list(
    org: string,
    tenant: string,
    { device, cursor = '', limit }: PageQuery & { device?: string | undefined },
  ): Promise<Page<Camera>> {
    let query = this.#options.db
      .selectFrom('cameras')
      .selectAll()
      .where('org', '=', org)
      .where('tenant', '=', tenant)
      .where('id', '>', cursor)
      .orderBy('id')
      .limit(limit + 1);
    if (device !== undefined) query = query.where('device', '=', device);
    return pageOf(await query.execute(), limit, { id: ({ id }) => id, view: viewOf });
  }

  /**
   * @param version on which the change is based; without it the change is made in any case
   * @throws {SecureGateError} `record_not_found`, `version_conflict`, `conflict` (slug taken), `desired_too_large`
   */
  async change(org: string, tenant: string, id: string, changes: Changes<CameraFields>, version?: number): Promise<Camera> {
    const { db, onChange } = this.#options;
    const row = await this.#find(org, tenant, id);
    if (version !== undefined && row.version !== version) {
      throw new SecureGateError('version_conflict', 'This camera was changed in the meantime');
    }
    const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
    const changed = { ...row, ...columnsOf({ ...fieldsOf(row), ...given }), version: row.version + 1 };
    await refuseTooMany(db, changed);
    const { numUpdatedRows } = await takingSlug(() =>
      db
        .updateTable('cameras')
        .set({ slug: changed.slug, settings: changed.settings, version: changed.version })
        .where('id', '=', id)
        .where('version', '=', row.version)
        .executeTakeFirst(),
    );
    // Somebody else was faster: without a version, this change is made on top of that one.
    if (numUpdatedRows === 0n) return await this.change(org, tenant, id, changes, version);
    await onChange(row.device);
    return viewOf(changed);
  }

  /** @throws {SecureGateError} `record_not_found` */
  async remove(org: string, tenant: string, id: string): Promise<void> {
    const { db, onChange } = this.#options;
    const { device } = await this.#find(org, tenant, id);
    await db.deleteFrom('cameras').where('id', '=', id).execute();
    await onChange(device);
  }

  async #find(org: string, tenant: string, id: string): Promise<CameraRow> {
    const row = await this.#options.db
      .selectFrom('cameras')
      .selectAll()
      .where('org', '=', org)
      .where('tenant', '=', tenant)
      .where('id', '=', id)
      .executeTakeFirst();
    if (row === undefined) throw new SecureGateError('record_not_found', 'There is no such camera');
    return row;
  }
}

/** Requests at the same moment can go a little beyond it: a state that is too large in the end is not sent, and says so. */
async function refuseTooMany(db: Kysely<Database>, { org, tenant, device, id, slug, settings }: CameraRow): Promise<void> {
  const others = await db
    .selectFrom('cameras')
    .select(['tenant', 'slug', 'settings'])
    .where('org', '=', org)
    .where('device', '=', device)
    .where('id', '<>', id)
    .execute();
  if (others.filter((other) => other.tenant === tenant).length >= MOST_OF_TENANT) {
    throw new SecureGateError('conflict', 'This tenant has as many cameras on this box as it can have', {
      details: { most: MOST_OF_TENANT },
    });
  }
  const characters = [...others, { slug, settings }].reduce((sum, one) => sum + one.slug.length + one.settings.length, 0);
  if (characters > MOST_CHARACTERS) {
    throw new SecureGateError('desired_too_large', 'The cameras of this box do not fit into one message', {
      details: { most: MOST_CHARACTERS },
    });
  }
}

async function takingSlug<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new SecureGateError('conflict', 'There is a camera of this name on this box', { cause: error });
  }
}
