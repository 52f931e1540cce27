import { type Kysely, sql } from 'kysely';
import { z } from 'zod';
import type { Database } from '../../store/database.ts';

const usageDaySchema = z
  .strictObject({
    day: z.iso.date().describe('UTC.'),
    counters: z.record(z.string(), z.int()).describe('What the boxes of the tenant counted, together.'),
  })
  .meta({ id: 'UsageDay', examples: [{ day: '2026-11-22', counters: { frames: 431_800, sightings: 48, faces_searched: 1290 } }] });
export const usageDaysSchema = z
  .strictObject({ days: z.array(usageDaySchema) })
  .meta({ examples: [{ days: usageDaySchema.meta()?.examples }] });
type UsageDay = z.output<typeof usageDaySchema>;

/** What tenants used, as far as their boxes have told. */
export class Usage {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  /** @param to included, as `from` is */
  async between(org: string, tenant: string, { from, to }: { readonly from: string; readonly to: string }): Promise<UsageDay[]> {
    const rows = await this.#db
      .selectFrom('usage_runs')
      .select(['day', 'counter', sql<number>`CAST(sum(amount) AS bigint)`.as('amount')])
      .where('org', '=', org)
      .where('tenant', '=', tenant)
      .where('day', '>=', from)
      .where('day', '<=', to)
      .groupBy(['day', 'counter'])
      .orderBy('day')
      .orderBy('counter')
      .execute();
    return Array.from(
      Map.groupBy(rows, ({ day }) => day),
      ([day, counted]) => ({
        day,
        counters: Object.fromEntries(counted.map(({ counter, amount }) => [counter, amount])),
      }),
    );
  }
}
