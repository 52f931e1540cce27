import { setTimeout as pause } from 'node:timers/promises';
import type { Box } from '../../provisioning/drills/harness/box.ts';
import { enrol } from '../../provisioning/drills/harness/enrol.ts';
import { requireFound } from '../../provisioning/drills/harness/search.ts';
import { SPARED, STRUCK, type Venue } from '../../provisioning/drills/harness/venue.ts';

/** One key may send 120 pictures a minute. */
const SEARCH_EVERY_MS = 1000;
const ENROL_EVERY_MS = 3000;
/** Customers who are enrolled before the first of them is removed again: a box that fills up may grow. */
const MOST_ENROLLED = 20;
/** A listener that goes and comes back, beside two who stay. */
const LISTEN_MS = 5000;

export interface LoadCounts {
  searches: number;
  enrolments: number;
  streamedBytes: number;
}

/** What operators and programs do to a box, all at the same time, until `signal` is aborted. @throws what the box did not do */
export async function load(venue: Venue, box: Box, counts: LoadCounts, signal: AbortSignal): Promise<void> {
  const again = async (everyMs: number, work: () => Promise<void>): Promise<void> => {
    while (!signal.aborted) {
      await work();
      await pause(everyMs, undefined, { signal }).catch(() => undefined);
    }
  };
  const enrolled: string[] = [];
  const listen = async (tenant: string, until: AbortSignal): Promise<void> => {
    counts.streamedBytes += await box.api.listen(`/v1/sightings/stream?tenants=${tenant}`, until);
  };
  await Promise.all([
    again(SEARCH_EVERY_MS, async () => {
      await requireFound(venue, box, counts.searches % 2 === 0 ? STRUCK : SPARED);
      counts.searches += 1;
    }),
    again(ENROL_EVERY_MS, async () => {
      const id = await enrol(box, STRUCK, `Guest ${counts.enrolments}`);
      await box.api.postPicture(`/v1/tenants/${STRUCK}/customers/${id}/faces`, venue.guest(SPARED).picture);
      counts.enrolments += 1;
      enrolled.push(id);
      const oldest = enrolled.length > MOST_ENROLLED ? enrolled.shift() : undefined;
      if (oldest !== undefined) await box.api.remove(`/v1/tenants/${STRUCK}/customers/${oldest}`);
    }),
    listen(STRUCK, signal),
    listen(SPARED, signal),
    again(0, () => listen(STRUCK, AbortSignal.any([signal, AbortSignal.timeout(LISTEN_MS)]))),
  ]);
}
