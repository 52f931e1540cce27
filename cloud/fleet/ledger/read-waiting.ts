import type { Kysely } from 'kysely';
import type { Database } from '../../store/database.ts';
import type { CommandRow } from './command.ts';
import { UNSETTLED } from './command-states.ts';

/** Urgent commands of a box that are sent at a time. */
const MOST_URGENT = 32;

/** What waits for boxes. */
export interface Waiting {
  readonly urgent: readonly CommandRow[];
  /** The one command of a box that is to be sent now, beside the urgent ones. */
  readonly heads: readonly CommandRow[];
  /** When something is to be sent to those boxes to which nothing is now. */
  readonly next: ReadonlyMap<string, number>;
}

/** Reads what is to be sent to boxes now, in the order in which it was given. */
export async function readWaiting(db: Kysely<Database>, devices: readonly string[], now: number): Promise<Waiting> {
  if (devices.length === 0) return { urgent: [], heads: [], next: new Map() };
  const unsettled = db.selectFrom('commands').where('device', 'in', devices).where('state', 'in', UNSETTLED);
  const ranked = unsettled
    .selectAll()
    .select(({ fn, eb }) =>
      fn
        .agg<number>('row_number')
        // What is under way goes before what is not begun.
        .over((over) =>
          over
            .partitionBy(['device', 'urgent'])
            .orderBy(
              eb
                .case()
                .when(eb.and([eb('urgent', '=', 0), eb('state', '<>', 'QUEUED')]))
                .then(0)
                .else(1)
                .end(),
            )
            .orderBy('id'),
        )
        .as('rank'),
    )
    .where(({ eb, or }) => or([eb('urgent', '=', 1), eb('state', '<>', 'QUEUED'), eb('not_before', '<=', now)]));
  const rows = await db
    .selectFrom(ranked.as('ranked'))
    .selectAll()
    .where(({ eb, or, and }) => or([and([eb('urgent', '=', 1), eb('rank', '<=', MOST_URGENT)]), eb('rank', '=', 1)]))
    .orderBy('id')
    .execute();
  const next = await unsettled
    .select(({ fn }) => ['device', fn.min('not_before').as('at')])
    .groupBy('device')
    .execute();
  const found = rows.map(({ rank: _rank, ...row }) => row);
  return {
    urgent: found.filter(({ urgent }) => urgent === 1),
    heads: found.filter(({ urgent }) => urgent === 0),
    next: new Map(next.map(({ device, at }) => [device, at])),
  };
}
