import type { Kysely, Selectable } from 'kysely';
import { comparePairs, type Pair } from '../../../shared/fleet/command.ts';
import type { Hello } from '../../../shared/fleet/hello.ts';
import type { Database } from '../../store/database.ts';
import { claimBox } from '../claim-box.ts';
import { dueBoxes } from '../due-boxes.ts';
import { moveCommand } from './move-command.ts';

/** Later than any time: nothing is to be sent. */
const NEVER = Date.UTC(9999, 0);

type Link = Selectable<Database['links']>;

/** A box at which this process looks. */
export interface Claimed {
  readonly device: string;
  /** By it this look is told from others. */
  readonly nextTryAt: number;
}

export interface LinksOptions {
  readonly db: Kysely<Database>;
  readonly now: () => number;
  /** 0 to 1. */
  readonly random: () => number;
}

/** How far each box is, and when it is time to send it something. Several processes share them: one of them does what is due. */
export class Links {
  readonly #options: LinksOptions;

  constructor(options: LinksOptions) {
    this.#options = options;
  }

  /**
   * Takes what a box says on a connect. Where it has heard what this ledger does not remember, because the ledger was restored from a
   * backup, or has forgotten what it said, because its own disk is an older one, a new incarnation begins: what was given before, also to
   * whoever recorded it, is older than all that comes.
   * @returns whether this process is the first to hear this hello
   */
  async hello(device: string, hello: Hello): Promise<boolean> {
    const { db, now } = this.#options;
    const { session, highest } = hello;
    return await db.transaction().execute(async (within) => {
      const link = await within.selectFrom('links').selectAll().where('device', '=', device).executeTakeFirst();
      if (link?.session === session) return false;
      const seen = { session, seen_at: now(), keys: JSON.stringify(hello.keys), tries: 0, next_try_at: now() };
      if (link === undefined) {
        const fresh = { device, ...seen, incarnation: (highest?.incarnation ?? 0) + 1, sequence: 0, told_incarnation: 0, told_sequence: 0 };
        const { numInsertedOrUpdatedRows = 0n } = await within
          .insertInto('links')
          .values(fresh)
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst();
        return numInsertedOrUpdatedRows > 0n;
      }
      const rolledBack = hasForgotten(link, highest);
      const anew = rolledBack || (highest !== null && !(await remembers(within, link, highest)));
      const incarnation = Math.max(link.incarnation, highest?.incarnation ?? 0) + 1;
      const { numUpdatedRows } = await within
        .updateTable('links')
        .set({ ...seen, ...(anew ? { incarnation, sequence: 0, told_incarnation: 0, told_sequence: 0 } : {}) })
        .where('device', '=', device)
        .where('session', '=', link.session)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) return false;
      if (rolledBack) await giveUpBegun(within, device, now());
      return true;
    });
  }

  /** The box has said something of a command. */
  async told(db: Kysely<Database>, device: string, { incarnation, sequence }: Pair): Promise<void> {
    await db
      .updateTable('links')
      .set({ told_incarnation: incarnation, told_sequence: sequence })
      .where('device', '=', device)
      .where(({ eb, or, and }) =>
        or([eb('told_incarnation', '<', incarnation), and([eb('told_incarnation', '=', incarnation), eb('told_sequence', '<', sequence)])]),
      )
      .execute();
  }

  /**
   * It is time to look at boxes.
   * @param db the transaction of what is to be looked at
   * @returns how many have a link: not those that have never said hello, or say it first in this moment
   */
  async wake(devices: readonly string[], db: Kysely<Database> = this.#options.db): Promise<number> {
    if (devices.length === 0) return 0;
    const due = { tries: 0, next_try_at: this.#options.now() };
    const { numUpdatedRows } = await db.updateTable('links').set(due).where('device', 'in', devices).executeTakeFirst();
    return Number(numUpdatedRows);
  }

  /** Boxes to which it is time to send something. */
  async due(limit: number): Promise<string[]> {
    const { db, now } = this.#options;
    return await dueBoxes(db, 'links', limit, now());
  }

  /** @returns those boxes to which it is time to send, and no other process does it; their next try comes later then */
  async claim(devices: readonly string[]): Promise<Claimed[]> {
    const { db, now } = this.#options;
    const due = await db
      .selectFrom('links')
      .select(['device', 'tries', 'next_try_at'])
      .where('device', 'in', devices)
      .where('next_try_at', '<=', now())
      .orderBy('device')
      .execute();
    if (due.length === 0) return [];
    return await db.transaction().execute(async (within) => {
      const claimed: Claimed[] = [];
      for (const link of due) {
        const claim = await claimBox(within, 'links', link, this.#options);
        if (claim) claimed.push({ device: link.device, nextTryAt: claim.next_try_at });
      }
      return claimed;
    });
  }

  /**
   * Nothing waits for boxes before the time of each; undefined: nothing at all. Whoever woke one meanwhile is heard, also where somebody
   * claimed it since, who may end before anything is sent.
   */
  async rest(boxes: readonly (Claimed & { readonly until: number | undefined })[]): Promise<void> {
    if (boxes.length === 0) return;
    await this.#options.db.transaction().execute(async (within) => {
      for (const { device, nextTryAt, until = NEVER } of boxes) {
        await within
          .updateTable('links')
          .set({ next_try_at: until })
          .where('device', '=', device)
          .where('next_try_at', '=', nextTryAt)
          .execute();
      }
    });
  }
}

function toldPair({ told_incarnation, told_sequence }: Link): Pair {
  return { incarnation: told_incarnation, sequence: told_sequence };
}

/** Whether a box says that it has never heard of what it has already said something of. */
function hasForgotten(link: Link, highest: Hello['highest']): boolean {
  if (link.told_sequence === 0) return false;
  return highest === null || comparePairs(highest, toldPair(link)) < 0;
}

/**
 * Whether the ledger has given this pair, for this command. One that the box has taken may have been given a later one since. Where the
 * incarnation has begun already that comes after it, there is nothing to remember: all that is given from there on is new to the box.
 */
async function remembers(
  db: Kysely<Database>,
  { device, incarnation }: Link,
  { command, ...pair }: NonNullable<Hello['highest']>,
): Promise<boolean> {
  if (pair.incarnation < incarnation) return true;
  const row = await db
    .selectFrom('commands')
    .select(['incarnation', 'sequence'])
    .where('device', '=', device)
    .where('id', '=', command)
    .executeTakeFirst();
  return row !== undefined && (row.incarnation > pair.incarnation || comparePairs(row, pair) === 0);
}

/** A box that has forgotten what it had begun does not say what came of it; it is not told to begin it twice. */
async function giveUpBegun(db: Kysely<Database>, device: string, now: number): Promise<void> {
  const begun = await db.selectFrom('commands').select('id').where('device', '=', device).where('state', '=', 'IN_PROGRESS').execute();
  for (const { id } of begun) await moveCommand(db, id, 'TIMED_OUT', { reason: 'command_interrupted' }, now);
}
