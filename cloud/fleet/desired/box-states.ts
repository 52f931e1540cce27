import type { Kysely, Selectable } from 'kysely';
import { comparePairs } from '../../../shared/fleet/command.ts';
import { type DesiredState, desiredStateSchema } from '../../../shared/fleet/desired.ts';
import { type Report, type ReportedState, reportedStateSchema } from '../../../shared/fleet/reported.ts';
import type { Database } from '../../store/database.ts';
import { claimBox } from '../claim-box.ts';
import { dueBoxes } from '../due-boxes.ts';

/** What nobody said a word of, because of a crash perhaps, is seen so late. */
const REST_MS = 6 * 3_600_000;

export type BoxStateRow = Selectable<Database['box_states']>;

export interface BoxStatesOptions {
  readonly db: Kysely<Database>;
  readonly now: () => number;
  /** 0 to 1. */
  readonly random: () => number;
}

/** What each box should be and says that it is, and when it is time to look at it. Several processes share them: one of them does what is due. */
export class BoxStates {
  readonly #options: BoxStatesOptions;

  constructor(options: BoxStatesOptions) {
    this.#options = options;
  }

  async get(org: string, device: string): Promise<BoxStateRow | undefined> {
    return await this.#options.db
      .selectFrom('box_states')
      .selectAll()
      .where('org', '=', org)
      .where('device', '=', device)
      .executeTakeFirst();
  }

  /**
   * Takes what a box says of itself. Where it has a version that was never made here, because this database was restored from a backup,
   * a new incarnation begins: what is made from now on is later than all that the box has heard.
   */
  async report(org: string, device: string, { report, state }: Report): Promise<void> {
    const { db, now } = this.#options;
    const { version } = state;
    const seen = { report, reported: JSON.stringify(state), reported_at: now(), tries: 0, next_try_at: now() };
    await db.transaction().execute(async (within) => {
      const row = await within.selectFrom('box_states').selectAll().where('device', '=', device).executeTakeFirst();
      if (row?.report === report) return;
      const isStrange = version !== null && version.id !== row?.id && (row === undefined || comparePairs(version, row) >= 0);
      const anew = { id: '', incarnation: Math.max(version?.incarnation ?? 0, row?.incarnation ?? 0) + 1, sequence: 0 };
      if (row === undefined) {
        await within
          .insertInto('box_states')
          .values({ device, org, ...anew, desired: '', changed_at: 0, problem: '', ...seen })
          .onConflict((conflict) => conflict.doNothing())
          .execute();
        return;
      }
      await within
        .updateTable('box_states')
        // One that has enrolled with another org has nothing of the one before.
        .set({ org, ...seen, ...(isStrange ? anew : {}), ...(row.org === org ? {} : { id: '', desired: '' }) })
        .where('device', '=', device)
        .execute();
    });
  }

  /** Something may have changed of a box. */
  async wake(device: string): Promise<void> {
    await this.#options.db
      .updateTable('box_states')
      .set({ tries: 0, next_try_at: this.#options.now() })
      .where('device', '=', device)
      .execute();
  }

  /** Something may have changed of every box of an org; it is looked at from then on. */
  async wakeAll(org: string, at: number): Promise<void> {
    await this.#options.db.updateTable('box_states').set({ tries: 0, next_try_at: at }).where('org', '=', org).execute();
  }

  /** Boxes at which it is time to look. */
  async due(limit: number): Promise<string[]> {
    const { db, now } = this.#options;
    return await dueBoxes(db, 'box_states', limit, now());
  }

  /** @returns the box, if it is time to look at it and no other process does; the next look comes later then */
  async claim(device: string): Promise<BoxStateRow | undefined> {
    const { db, now } = this.#options;
    const row = await db
      .selectFrom('box_states')
      .selectAll()
      .where('device', '=', device)
      .where('next_try_at', '<=', now())
      .executeTakeFirst();
    const claim = row && (await claimBox(db, 'box_states', row, this.#options));
    return claim && { ...row, ...claim };
  }

  /** There is nothing to do for the box for hours, unless it is woken. Whoever woke it meanwhile is heard. */
  async rest({ device, next_try_at }: BoxStateRow, problem = ''): Promise<void> {
    const { db, now } = this.#options;
    await db
      .updateTable('box_states')
      .set({ next_try_at: now() + REST_MS, problem })
      .where('device', '=', device)
      .where('next_try_at', '=', next_try_at)
      .execute();
  }

  /**
   * Makes the next version of what a box should be.
   * @returns undefined where another process was faster
   */
  async change(row: BoxStateRow, id: string, desired: string): Promise<BoxStateRow | undefined> {
    const { db, now } = this.#options;
    const next = { id, sequence: row.sequence + 1, desired, changed_at: now() };
    const { numUpdatedRows } = await db
      .updateTable('box_states')
      .set(next)
      .where('device', '=', row.device)
      .where('incarnation', '=', row.incarnation)
      .where('sequence', '=', row.sequence)
      .where('id', '=', row.id)
      .executeTakeFirst();
    return numUpdatedRows > 0n ? { ...row, ...next } : undefined;
  }
}

/** @returns undefined before the first version */
export function desiredOf({ desired }: BoxStateRow): DesiredState | undefined {
  return desired === '' ? undefined : desiredStateSchema.parse(JSON.parse(desired));
}

export function reportedOf({ reported }: BoxStateRow): ReportedState {
  return reportedStateSchema.parse(JSON.parse(reported));
}
