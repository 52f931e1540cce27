import type { Kysely } from 'kysely';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import { stateOfBox } from '../../shared/receipts/state-of-box.ts';
import type { DesiredStates } from '../fleet/desired/desired-states.ts';
import type { Commands } from '../fleet/ledger/commands.ts';
import type { KmsClient } from '../kms/client.ts';
import type { Database } from '../store/database.ts';
import type { Tenants } from '../tenants/tenants.ts';
import { moveShred, type ShredRow } from './move-shred.ts';
import type { Looker } from './shred-job.ts';
import { type StateUnderWay, UNDER_WAY } from './shred-states.ts';
import { tellBoxes } from './tell-boxes.ts';
import { toldBoxes } from './told-boxes.ts';

/** Rows that are written by one statement: databases take so many values and no more. */
const MOST_TOGETHER = 500;

/** Until when boxes were told to remove a tenant. */
const AFTER_COMMANDS_MS = 5000;

export interface ShreddingOptions {
  readonly db: Kysely<Database>;
  readonly kms: Pick<KmsClient, 'call'>;
  readonly tenants: Pick<Tenants, 'bury'>;
  readonly commands: Pick<Commands, 'createAll' | 'newId'>;
  readonly desired: Pick<DesiredStates, 'wakeAll'>;
  readonly now: () => number;
  readonly logger: Logger;
}

/**
 * Takes shreds that people have decided to their end. Every step can be done twice and is written down when it is done, so that a crash
 * anywhere leaves something that the next look goes on with.
 */
export class Shredding implements Looker {
  readonly #options: ShreddingOptions;

  constructor(options: ShreddingOptions) {
    this.#options = options;
  }

  /** Does what can be done now. What fails is told in the shred and tried again. @param stop not to begin anything more */
  async look(stop: AbortSignal): Promise<void> {
    for (const { id } of await this.#underWay()) {
      let state: string | undefined;
      for (let row = await this.#read(id); row && row.state !== state && !stop.aborted; row = await this.#read(id)) {
        state = row.state;
        if (isUnderWay(row)) await this.#step(row);
      }
    }
  }

  /** Whether anything is to be done, now or later. */
  async waits(): Promise<boolean> {
    return (await this.#underWay()).length > 0;
  }

  async #step(row: ShredRow & { state: StateUnderWay }): Promise<void> {
    const { db, logger } = this.#options;
    const { id, org, tenant, state } = row;
    let reason = '';
    try {
      await this.#steps[state](row);
    } catch (error) {
      reason = SecureGateError.from(error).code;
      if (row.reason !== reason) logger.warn({ err: error, shred: id, org, tenant, state }, 'a shred does not go on; it is tried again');
    }
    if (row.reason === reason) return;
    await db.updateTable('shreds').set({ reason }).where('id', '=', id).where('state', '=', state).execute();
  }

  readonly #steps: { readonly [State in StateUnderWay]: (shred: ShredRow) => Promise<void> } = {
    approved: async ({ id, org, tenant, grace_ms }) => {
      const { begunAt } = await this.#options.kms.call('freezeTenant', { org, tenant, id });
      await this.#move(id, 'frozen', { frozen_at: begunAt, destroys_from: this.#options.now() + grace_ms });
    },
    frozen: async ({ id, destroys_from }) => {
      if ((destroys_from ?? 0) <= this.#options.now()) await this.#move(id, 'destroying');
    },
    cancelling: async ({ id, org, tenant }) => {
      await this.#options.kms.call('endFreeze', { org, tenant, id });
      await this.#move(id, 'cancelled', { settled_at: this.#options.now() });
    },
    destroying: async (shred) => {
      const { kms, tenants, desired, now } = this.#options;
      const { id, org, tenant } = shred;
      // Nobody was given a key since it was frozen, and nobody is assigned any more: whoever has one is among these.
      await this.#writeBoxes(shred, await kms.call('listHolders', { org, tenant, before: shred.frozen_at ?? now() }));
      const { from } = await kms.call('destroyTenant', { org, tenant });
      await tenants.bury(org, tenant);
      // What each box should have can wait; what it has to remove cannot.
      await desired.wakeAll(org, now() + AFTER_COMMANDS_MS);
      await this.#move(id, 'telling', { destroyed_at: now(), unrecoverable_from: from });
    },
    telling: async (shred) => {
      const { db, commands, now } = this.#options;
      const { id, org, tenant, requested_by, unrecoverable_from } = shred;
      const boxes = await db.selectFrom('shred_boxes').selectAll().where('shred', '=', id).execute();
      const told = await toldBoxes(
        db,
        boxes.map(({ command }) => command),
      );
      const order = { kind: 'shred-tenant', body: { org, tenant, shred: id } } as const;
      const replace = async (device: string, command: string): Promise<void> => {
        await db.updateTable('shred_boxes').set({ command }).where('shred', '=', id).where('device', '=', device).execute();
      };
      const toTell = boxes.map(({ device, command }) => ({ device, command, told: told.get(command) }));
      await tellBoxes({ commands, now, replace }, { org, by: requested_by, order, boxes: toTell });
      const waiting = boxes.some(({ enforcement, lease_ends_at, command }) => {
        const known = { enforcement, leaseEndsAt: lease_ends_at, erasedAt: told.get(command)?.done?.at ?? null };
        return stateOfBox(known, { unrecoverableFrom: unrecoverable_from }, now()).state === 'pending';
      });
      if (!waiting) await this.#move(id, 'done', { settled_at: now() });
    },
  };

  async #move(...[id, to, changes]: Parameters<typeof moveShred> extends [unknown, ...infer Rest] ? Rest : never): Promise<void> {
    if (await moveShred(this.#options.db, id, to, changes)) this.#options.logger.info({ shred: id, state: to }, 'a shred went on');
  }

  async #writeBoxes(
    { id }: ShredRow,
    holders: readonly { device: string; enforcement: 'memory' | 'tpm' | 'software'; leaseEndsAt: number }[],
  ): Promise<void> {
    const { db, commands } = this.#options;
    const rows = holders.map(({ device, enforcement, leaseEndsAt }) => {
      return { shred: id, device, enforcement, lease_ends_at: leaseEndsAt, command: commands.newId() };
    });
    await db.transaction().execute(async (within) => {
      for (let from = 0; from < rows.length; from += MOST_TOGETHER) {
        await within
          .insertInto('shred_boxes')
          .values(rows.slice(from, from + MOST_TOGETHER))
          .onConflict((conflict) => conflict.columns(['shred', 'device']).doNothing())
          .execute();
      }
    });
  }

  async #underWay(): Promise<{ id: string }[]> {
    return await this.#options.db.selectFrom('shreds').select('id').where('state', 'in', UNDER_WAY).orderBy('id').execute();
  }

  async #read(id: string): Promise<ShredRow | undefined> {
    return await this.#options.db.selectFrom('shreds').selectAll().where('id', '=', id).executeTakeFirst();
  }
}

function isUnderWay(row: ShredRow): row is ShredRow & { state: StateUnderWay } {
  return UNDER_WAY.some((state) => state === row.state);
}
