import { type Kysely, sql } from 'kysely';
import { z } from 'zod';
import { slugSchema } from '../../../shared/ids/ids.ts';
import type { Database } from '../../store/database.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

const sightingCountSchema = z
  .strictObject({
    camera: slugSchema,
    from: z.iso.datetime().describe('Begin of the day (UTC), or of the hour.'),
    known: z.int().describe('Sightings of customers.'),
    unknown: z.int().describe('Sightings of people who matched nobody, or could not be told.'),
  })
  .meta({ id: 'SightingCount', examples: [{ camera: 'entrance', from: '2026-11-22T00:00:00.000Z', known: 41, unknown: 7 }] });
export const sightingCountsSchema = z
  .strictObject({ counts: z.array(sightingCountSchema) })
  .meta({ examples: [{ counts: sightingCountSchema.meta()?.examples }] });
type SightingCount = z.output<typeof sightingCountSchema>;

interface Span {
  /** Days, UTC; both included. */
  readonly from: string;
  readonly to: string;
}

/** How often somebody was seen before the cameras of a tenant, whoever it was. */
export class SightingCounts {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  async perDay(org: string, tenant: string, { from, to }: Span): Promise<SightingCount[]> {
    const rows = await this.#db
      .selectFrom('sighting_days')
      .select(['day', 'camera', 'known', 'sightings'])
      .where('org', '=', org)
      .where('tenant', '=', tenant)
      .where('day', '>=', from)
      .where('day', '<=', to)
      .execute();
    return countsOf(rows.map(({ day, ...row }) => ({ ...row, from: `${day}T00:00:00.000Z` })));
  }

  /** As far back as the tenant's policy keeps sightings. */
  async perHour(org: string, tenant: string, { from, to }: Span): Promise<SightingCount[]> {
    const hour = sql<number>`ended_at / 3600000`;
    const rows = await this.#db
      .selectFrom('sightings')
      .select([hour.as('hour'), 'camera', 'known', ({ fn }) => fn.countAll<number>().as('sightings')])
      .where('org', '=', org)
      .where('tenant', '=', tenant)
      .where('ended_at', '>=', Date.parse(from))
      .where('ended_at', '<', Date.parse(to) + DAY_MS)
      .groupBy([hour, 'camera', 'known'])
      .execute();
    return countsOf(rows.map(({ hour: at, ...row }) => ({ ...row, from: new Date(at * HOUR_MS).toISOString() })));
  }
}

/** In the order of time, then of cameras. */
function countsOf(rows: readonly { from: string; camera: string; known: number; sightings: number }[]): SightingCount[] {
  const groups = Map.groupBy(rows, ({ from, camera }) => `${from} ${camera}`);
  return [...groups]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([group, both]) => {
      const [from = '', camera = ''] = group.split(' ');
      const of = (known: number): number => both.find((row) => row.known === known)?.sightings ?? 0;
      return { camera, from, known: of(1), unknown: of(0) };
    });
}
