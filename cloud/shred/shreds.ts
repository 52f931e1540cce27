import type { Kysely } from 'kysely';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { Ulids } from '../../shared/ids/ulid.ts';
import { stateOfBox } from '../../shared/receipts/state-of-box.ts';
import type { Database } from '../store/database.ts';
import { isUniqueViolation } from '../store/is-unique-violation.ts';
import { type Page, type PageQuery, pageOf } from '../store/page.ts';
import { policiesSchema } from '../tenants/org.ts';
import { moveShred, type ShredRow } from './move-shred.ts';
import { removedIn } from './removed-in.ts';
import { type NewShred, type Shred, type ShredBox, shredSchema } from './shred.ts';
import { toldBoxes } from './told-boxes.ts';

const MINUTE_MS = 60_000;

export interface ShredsOptions {
  readonly db: Kysely<Database>;
  /** Called when there is something to do. */
  readonly onWaiting: () => void;
  readonly now: () => number;
}

/** Shreds of tenants as people decide them: who wants one, who agrees, who takes it back. */
export class Shreds {
  readonly #options: ShredsOptions;
  readonly #ids: Ulids;

  constructor(options: ShredsOptions) {
    this.#options = options;
    this.#ids = new Ulids(options.now);
  }

  newId(): string {
    return this.#ids.next();
  }

  /**
   * Asks for a shred. Nothing happens before it is approved.
   * @param by who asks
   * @throws {SecureGateError} `tenant_not_found`, `conflict` (there is one already)
   */
  async create(org: string, id: string, by: string, { tenant, graceMinutes }: NewShred): Promise<Shred> {
    const { db, now } = this.#options;
    const known = await db.selectFrom('tenants').select('policies').where('org', '=', org).where('id', '=', tenant).executeTakeFirst();
    if (known === undefined) throw new SecureGateError('tenant_not_found', 'There is no such tenant');
    const { twoPersonRule } = policiesSchema.parse(JSON.parse(known.policies));
    const row: ShredRow = {
      ...{ id, org, tenant, state: 'requested', reason: '', requested_by: by, requested_at: now() },
      ...{ approvals_needed: twoPersonRule ? 2 : 1, grace_ms: graceMinutes * MINUTE_MS },
      ...{ frozen_at: null, destroys_from: null, destroyed_at: null, unrecoverable_from: null, settled_at: null, version: 1 },
    };
    try {
      await db.insertInto('shreds').values(row).execute();
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new SecureGateError('conflict', 'This tenant is, or is to be, shredded already', { cause: error, details: { tenant } });
    }
    return await this.get(org, id);
  }

  /** @throws {SecureGateError} `shred_not_found` */
  async get(org: string, id: string): Promise<Shred> {
    return await this.#viewOf(await this.#find(this.#options.db, org, id));
  }

  /** In the order in which they were asked for. */
  async list(org: string, { cursor = '', limit }: PageQuery): Promise<Page<Shred>> {
    const found = await this.#options.db
      .selectFrom('shreds')
      .selectAll()
      .where('org', '=', org)
      .where('id', '>', cursor)
      .orderBy('id')
      .limit(limit + 1)
      .execute();
    const { items, next } = pageOf(found, limit, { id: ({ id }) => id, view: (row) => row });
    return { items: await Promise.all(items.map((row) => this.#viewOf(row))), next };
  }

  /**
   * Agrees to a shred. Each person counts once; with the last approval that is needed, the tenant is frozen.
   * @param by who agrees; a person, not a program
   * @throws {SecureGateError} `shred_not_found`, `shred_settled`, `approver_not_person`
   */
  async approve(org: string, id: string, by: string): Promise<Shred> {
    const { db, now, onWaiting } = this.#options;
    if (!by.startsWith('usr_')) throw new SecureGateError('approver_not_person', 'A shred is approved by people');
    await db.transaction().execute(async (within) => {
      // Held first, so that of two who approve at the same moment one sees the other.
      const { numUpdatedRows } = await within
        .updateTable('shreds')
        .set((row) => ({ version: row.ref('version') }))
        .where('id', '=', id)
        .executeTakeFirst();
      const { state, approvals_needed, version } = await this.#find(within, org, id);
      const approvals = await within.selectFrom('shred_approvals').select('account').where('shred', '=', id).execute();
      if (approvals.some(({ account }) => account === by)) return;
      if (numUpdatedRows === 0n || state !== 'requested') throw settled(state);
      await within.insertInto('shred_approvals').values({ shred: id, account: by, at: now() }).execute();
      if (approvals.length + 1 >= approvals_needed) await moveShred(within, id, 'approved');
      else
        await within
          .updateTable('shreds')
          .set({ version: version + 1 })
          .where('id', '=', id)
          .execute();
    });
    onWaiting();
    return await this.get(org, id);
  }

  /**
   * Takes it back, as long as its destruction has not begun. Taken back already, it stays so.
   * @throws {SecureGateError} `shred_not_found`, `shred_settled`
   */
  async cancel(org: string, id: string): Promise<Shred> {
    const { db, onWaiting } = this.#options;
    const { state } = await this.#find(db, org, id);
    if (state !== 'cancelling' && state !== 'cancelled' && !(await moveShred(db, id, 'cancelling'))) throw settled(state);
    onWaiting();
    return await this.get(org, id);
  }

  async #find(db: Kysely<Database>, org: string, id: string): Promise<ShredRow> {
    const row = await db.selectFrom('shreds').selectAll().where('org', '=', org).where('id', '=', id).executeTakeFirst();
    if (row === undefined) throw new SecureGateError('shred_not_found', 'There is no such shred');
    return row;
  }

  async #viewOf(row: ShredRow): Promise<Shred> {
    const { db } = this.#options;
    const { id, org, tenant, state, version } = row;
    const approvals = await db.selectFrom('shred_approvals').selectAll().where('shred', '=', id).orderBy('at').orderBy('account').execute();
    return shredSchema.parse({
      ...{ id, org, tenant, state, version, reason: row.reason || null },
      ...{ requestedBy: row.requested_by, requestedAt: iso(row.requested_at), approvalsNeeded: row.approvals_needed },
      approvals: approvals.map(({ account, at }) => ({ by: account, at: iso(at) })),
      graceMinutes: row.grace_ms / MINUTE_MS,
      frozenAt: isoOrNull(row.frozen_at),
      destroysFrom: isoOrNull(row.destroys_from),
      destroyedAt: isoOrNull(row.destroyed_at),
      unrecoverableFrom: isoOrNull(row.unrecoverable_from),
      settledAt: isoOrNull(row.settled_at),
      boxes: await this.#boxesOf(row),
    });
  }

  async #boxesOf({ id, destroyed_at, unrecoverable_from }: ShredRow): Promise<ShredBox[]> {
    const { db, now } = this.#options;
    const boxes = await db.selectFrom('shred_boxes').selectAll().where('shred', '=', id).orderBy('device').execute();
    const told = await toldBoxes(
      db,
      boxes.map(({ command }) => command),
    );
    const hsm = destroyed_at === null ? null : { unrecoverableFrom: unrecoverable_from };
    return boxes.map(({ device, enforcement, lease_ends_at, command }) => {
      const { done = null, reason = null } = told.get(command) ?? {};
      const known = { enforcement, leaseEndsAt: lease_ends_at, erasedAt: done?.at ?? null };
      const { state, unrecoverableFrom, because } = stateOfBox(known, hsm, now());
      return {
        ...{ device, state, because, enforcement, command, reason: done === null ? reason : null },
        unrecoverableFrom: isoOrNull(unrecoverableFrom),
        leaseEndsAt: iso(lease_ends_at),
        receipt: done?.receipt ?? null,
        removed: done && removedIn(done.token),
      };
    });
  }
}

function settled(state: ShredRow['state']): SecureGateError {
  return new SecureGateError('shred_settled', 'It is too late for this shred', { details: { state } });
}

function iso(at: number): string {
  return new Date(at).toISOString();
}

function isoOrNull(at: number | null): string | null {
  return at === null ? null : iso(at);
}
