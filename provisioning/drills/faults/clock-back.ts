import type { Fault } from '../fault.ts';
import { requireFound } from '../harness/search.ts';
import { boxWithClock } from '../harness/set-clock.ts';
import { SPARED, STRUCK } from '../harness/venue.ts';

const YEAR_MS = 365 * 86_400_000;

// Seen to fail with the wall clock in the place of the monotonic one: no figures came any more.
export const clockBack: Fault = {
  name: 'clock-back',
  expected: 'a clock that jumps a year back fails no camera and loses no frame (98 %), the guests are found, sightings go on',
  run: async (venue) => {
    const { box, setClock } = await boxWithClock(venue);
    await box.start();
    const from = box.daemon.events.length;
    const kept = await box.keepsFrames(async () => {
      setClock(-YEAR_MS);
      for (const tenant of [STRUCK, SPARED]) await requireFound(venue, box, tenant);
      await box.daemon.until('sighting', ({ endedAt }) => Date.parse(endedAt) < Date.now() - YEAR_MS / 2, from);
    });
    box.requireAllLive(from);
    return kept;
  },
};
