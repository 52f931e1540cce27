import type { Kysely } from 'kysely';
import type { UsageOfRun } from '../../../shared/fleet/usage-batch.ts';
import type { Database } from '../../store/database.ts';
import type { Place } from './keep-sightings.ts';

/** Takes down what runs have counted so far. What was said before, or comes later than a newer word, changes nothing. */
export async function keepUsage(db: Kysely<Database>, { org, tenant, device }: Place, days: readonly UsageOfRun[]): Promise<void> {
  await db.transaction().execute(async (within) => {
    for (const { run, day, counters } of days) {
      for (const [counter, amount] of Object.entries(counters)) {
        await within
          .insertInto('usage_runs')
          .values({ org, tenant, day, device, run, counter, amount })
          .onConflict((conflict) =>
            conflict
              .columns(['org', 'tenant', 'day', 'device', 'run', 'counter'])
              .doUpdateSet({ amount })
              .where('usage_runs.amount', '<', amount),
          )
          .execute();
      }
    }
  });
}
