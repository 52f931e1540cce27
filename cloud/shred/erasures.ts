import type { Kysely, Selectable } from 'kysely';
import { z } from 'zod';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { removedSchema } from '../../shared/fleet/ack.ts';
import { MOST_ERASED } from '../../shared/fleet/command.ts';
import { idSchema, principalIdSchema, slugSchema } from '../../shared/ids/ids.ts';
import { Ulids, ulidSchema } from '../../shared/ids/ulid.ts';
import type { Commands } from '../fleet/ledger/commands.ts';
import type { KmsClient } from '../kms/client.ts';
import type { Database } from '../store/database.ts';
import { type Page, type PageQuery, pageOf } from '../store/page.ts';
import { askOnce } from './ask-once.ts';
import { boxesOfErasure } from './boxes-of-erasure.ts';
import { erasedBoxes } from './erased-boxes.ts';
import { readEpochs } from './read-epochs.ts';
import { removedIn } from './removed-in.ts';
import type { Looker } from './shred-job.ts';
import { tellBoxes } from './tell-boxes.ts';

export const newErasureSchema = z
  .strictObject({
    customers: z
      .array(idSchema('customer'))
      .min(1)
      .max(MOST_ERASED)
      .describe('The ids of one person, or of several: each box knows a person by an id of its own, and erases those that it knows.'),
  })
  .meta({ id: 'NewErasure', examples: [{ customers: ['cus_aaaaaaaaaaaaaaaaaaaaaaaaaa'] }] });

const time = z.iso.datetime();
export const erasureSchema = z
  .strictObject({
    id: ulidSchema,
    org: slugSchema,
    tenant: slugSchema,
    customers: z.array(idSchema('customer')),
    requestedBy: principalIdSchema,
    requestedAt: time,
    settledAt: time.nullable().describe('When the last box had done its part, or had lost the keys of its files.'),
    boxes: z.array(
      z.strictObject({
        device: idSchema('box'),
        state: z
          .enum(['pending', 'erased', 'lost'])
          .describe(
            '`erased`: its files open nothing of them any more, whatever older files lie beside. `lost`: it did not say so, and is not waited for any more, since the keys of its files are destroyed; how far that goes, the receipt says.',
          ),
        reason: z.string().nullable().describe('Code of why it has not done it yet; it is told again.'),
        command: ulidSchema,
        receipt: ulidSchema.nullable().describe('Its signed word.'),
        removed: removedSchema.nullable().describe('`customers`: how many of these it knew.'),
      }),
    ),
  })
  .meta({
    id: 'CustomerErasure',
    examples: [
      {
        id: '01KAMV8Z0000000000000000DD',
        org: 'acme',
        tenant: 'main-hall',
        customers: ['cus_aaaaaaaaaaaaaaaaaaaaaaaaaa'],
        requestedBy: 'usr_aaaaaaaaaaaaaaaaaaaaaaaaaa',
        requestedAt: '2026-11-22T10:00:00.000Z',
        settledAt: null,
        boxes: [
          {
            device: 'box_aaaaaaaaaaaaaaaaaaaaaaaaaa',
            state: 'pending',
            reason: null,
            command: '01KAMV8Z0000000000000000AA',
            receipt: null,
            removed: null,
          },
        ],
      },
    ],
  });
export type Erasure = z.output<typeof erasureSchema>;

type Row = Selectable<Database['erasures']>;

/** The longer an erasure waits for boxes that are away, the more seldom it is looked at: there may be many, for weeks. */
const SHARE_OF_AGE = 1 / 60;
const LONGEST_PAUSE_MS = 60_000;

export interface ErasuresOptions {
  readonly db: Kysely<Database>;
  readonly kms: Pick<KmsClient, 'call'>;
  readonly commands: Pick<Commands, 'createAll' | 'newId'>;
  readonly onWaiting: () => void;
  readonly now: () => number;
}

/**
 * Erasures of customers on every box of their tenant. What a box erased is beyond recovery once the tenant's epoch has moved and the key
 * before it is destroyed; the keys of the tenant tell how far that is.
 */
export class Erasures implements Looker {
  readonly #options: ErasuresOptions;
  readonly #ids: Ulids;
  /** Those that are open, by their ids. */
  readonly #lookedAt = new Map<string, number>();

  constructor(options: ErasuresOptions) {
    this.#options = options;
    this.#ids = new Ulids(options.now);
  }

  newId(): string {
    return this.#ids.next();
  }

  /** @throws {SecureGateError} `tenant_not_found`, `tenant_destroyed`, `kms_unavailable` */
  async create(org: string, tenant: string, id: string, by: string, customers: readonly string[]): Promise<Erasure> {
    const { db, kms, commands, onWaiting, now } = this.#options;
    const known = await db.selectFrom('tenants').select('state').where('org', '=', org).where('id', '=', tenant).executeTakeFirst();
    if (known === undefined) throw new SecureGateError('tenant_not_found', 'There is no such tenant');
    if (known.state === 'shredded') throw new SecureGateError('tenant_destroyed', 'This tenant was shredded', { details: { org, tenant } });
    // Also those that had the tenant once: their files may still hold the customer.
    const holders = await kms.call('listHolders', { org, tenant, before: now() });
    const row: Row = {
      ...{ id, org, tenant, customers: JSON.stringify([...new Set(customers)]) },
      ...{ requested_by: by, requested_at: now(), settled_at: null },
    };
    const boxes = holders.map(({ device }) => ({ erasure: id, device, command: commands.newId() }));
    await db.transaction().execute(async (within) => {
      const { numInsertedOrUpdatedRows } = await within
        .insertInto('erasures')
        .values(row)
        // Another process may work on a repetition of this request.
        .onConflict((conflict) => conflict.column('id').doNothing())
        .executeTakeFirst();
      if (numInsertedOrUpdatedRows !== 0n && boxes.length > 0) await within.insertInto('erasure_boxes').values(boxes).execute();
    });
    onWaiting();
    return await this.get(org, id);
  }

  /** @throws {SecureGateError} `erasure_not_found` */
  async get(org: string, id: string): Promise<Erasure> {
    const row = await this.#options.db.selectFrom('erasures').selectAll().where('org', '=', org).where('id', '=', id).executeTakeFirst();
    if (row === undefined) throw new SecureGateError('erasure_not_found', 'There is no such erasure');
    return await this.#viewOf(row);
  }

  /** In the order in which they were asked for. */
  async list(org: string, { cursor = '', limit }: PageQuery): Promise<Page<Erasure>> {
    const found = await this.#options.db
      .selectFrom('erasures')
      .selectAll()
      .where('org', '=', org)
      .where('id', '>', cursor)
      .orderBy('id')
      .limit(limit + 1)
      .execute();
    const { items, next } = pageOf(found, limit, { id: ({ id }) => id, view: (row) => row });
    return { items: await Promise.all(items.map((row) => this.#viewOf(row))), next };
  }

  async waits(): Promise<boolean> {
    const open = this.#options.db.selectFrom('erasures').select('id').where('settled_at', 'is', null).limit(1);
    return (await open.executeTakeFirst()) !== undefined;
  }

  /** Tells boxes what they have not been told, and ends what is done. A tenant that is shredded meanwhile takes its customers along. */
  async look(stop: AbortSignal): Promise<void> {
    const open = await this.#options.db
      .selectFrom('erasures')
      .innerJoin('tenants', (join) => join.onRef('tenants.org', '=', 'erasures.org').onRef('tenants.id', '=', 'erasures.tenant'))
      .selectAll('erasures')
      .select('tenants.state')
      .where('settled_at', 'is', null)
      .orderBy('erasures.id')
      .execute();
    const at = this.#options.now();
    const due = open.filter(({ id, requested_at: from }) => {
      const pause = Math.min((at - from) * SHARE_OF_AGE, LONGEST_PAUSE_MS);
      return Math.abs(at - (this.#lookedAt.get(id) ?? 0)) >= pause;
    });
    for (const { state, ...row } of due) {
      if (stop.aborted) return;
      if (state === 'shredded' || (await this.#tell(row))) await this.#settle(row);
      this.#lookedAt.set(row.id, at);
    }
    const ids = new Set(open.map(({ id }) => id));
    for (const id of this.#lookedAt.keys()) if (!ids.has(id)) this.#lookedAt.delete(id);
  }

  /**
   * Ends erasures that no box is waited for any more, since those that have not done it have lost the keys of their files. The KMS is asked
   * about each tenant: not to be called often.
   * @throws {SecureGateError} `kms_unavailable`
   */
  async endLost(stop: AbortSignal): Promise<void> {
    const { db, now } = this.#options;
    const kms = askOnce(this.#options.kms);
    const at = now();
    const open = await db.selectFrom('erasures').selectAll().where('settled_at', 'is', null).orderBy('id').execute();
    for (const row of open) {
      if (stop.aborted) return;
      const { org, tenant, requested_at: requestedAt } = row;
      const [boxes, epochs] = [await boxesOfErasure(db, row), await readEpochs(kms, org, tenant)];
      const erased = await erasedBoxes(kms, { org, tenant, requestedAt }, boxes, epochs, at);
      if (erased.every(({ state }) => state.state !== 'pending')) await this.#settle(row);
    }
  }

  async #settle({ id }: Row): Promise<void> {
    const { db, now } = this.#options;
    await db.updateTable('erasures').set({ settled_at: now() }).where('id', '=', id).where('settled_at', 'is', null).execute();
  }

  /** @returns whether all of them have done it */
  async #tell(row: Row): Promise<boolean> {
    const { db } = this.#options;
    const { id, org, tenant, customers, requested_by } = row;
    const boxes = await boxesOfErasure(db, row);
    const body = { tenant, erasure: id, customers: JSON.parse(customers) as string[] };
    const replace = async (device: string, command: string): Promise<void> => {
      await db.updateTable('erasure_boxes').set({ command }).where('erasure', '=', id).where('device', '=', device).execute();
    };
    await tellBoxes({ ...this.#options, replace }, { org, by: requested_by, order: { kind: 'erase-customers', body }, boxes });
    return boxes.every(({ word }) => word !== null);
  }

  async #viewOf(row: Row): Promise<Erasure> {
    const { id, org, tenant, customers, requested_by, requested_at, settled_at } = row;
    return erasureSchema.parse({
      ...{ id, org, tenant, customers: JSON.parse(customers) as unknown, requestedBy: requested_by },
      requestedAt: new Date(requested_at).toISOString(),
      settledAt: settled_at === null ? null : new Date(settled_at).toISOString(),
      boxes: (await boxesOfErasure(this.#options.db, row)).map(({ device, command, told, word }) => ({
        ...{ device, command },
        state: word ? 'erased' : settled_at === null ? 'pending' : 'lost',
        reason: word ? null : (told?.reason ?? null),
        receipt: word?.done.receipt ?? null,
        removed: word && removedIn(word.done.token),
      })),
    });
  }
}
