import type { Kysely } from 'kysely';
import { BackOff } from '../../shared/runtime/back-off.ts';
import type { Database } from '../store/database.ts';

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 300_000;

/** When a box is looked at next, and how often it was since it was last woken. */
interface Look {
  readonly tries: number;
  readonly next_try_at: number;
}

export interface ClaimOptions {
  readonly now: () => number;
  /** 0 to 1: boxes that were woken together are not looked at together. */
  readonly random: () => number;
}

/**
 * Has one process look at a box.
 * @param seen the look that is due
 * @returns the one after it, by which the box is claimed; undefined where another process was faster, or somebody woke the box
 */
export async function claimBox(
  db: Kysely<Database>,
  table: 'box_states' | 'links',
  { device, tries, next_try_at }: Look & { readonly device: string },
  { now, random }: ClaimOptions,
): Promise<Look | undefined> {
  const pauses = new BackOff(FIRST_PAUSE_MS, LONGEST_PAUSE_MS, random);
  pauses.reset(tries);
  const next = { tries: tries + 1, next_try_at: Math.ceil(now() + pauses.next()) };
  const { numUpdatedRows } = await db
    .updateTable(table)
    .set(next)
    .where('device', '=', device)
    .where('next_try_at', '=', next_try_at)
    .executeTakeFirst();
  return numUpdatedRows > 0n ? next : undefined;
}
