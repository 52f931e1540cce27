import { setTimeout as pause } from 'node:timers/promises';
import type { Fault } from '../fault.ts';
import { requireAll } from '../harness/enrol.ts';
import { enrolUntil } from '../harness/enrol-until.ts';
import { STRUCK, type Venue } from '../harness/venue.ts';

/** Boxes whose power is cut at the same time: one starts while the other one writes. */
const BOXES = 2;
/** Longest time between the first acknowledged write and the cut. */
const LONGEST_MS = 150;

// Seen to fail with a vault that commits once a second: 5 of 5 acknowledged customers were gone after the first cut.
export const powerCuts: Fault = {
  name: 'power-cuts',
  expected:
    'kill -9 of daemon and vaults at random moments of writes, 200 times (10 with --quick): every acknowledged write is there afterwards',
  run: async (venue, { powerCuts }) => {
    const boxes = await Promise.all(Array.from({ length: BOXES }, () => cutAgainAndAgain(venue, powerCuts / BOXES)));
    const sum = (field: 'acknowledged' | 'tried'): number => boxes.reduce((total, box) => total + box[field], 0);
    return `${powerCuts} cuts, all ${sum('acknowledged')} acknowledged of ${sum('tried')} writes there`;
  },
};

async function cutAgainAndAgain(venue: Venue, cuts: number): Promise<{ acknowledged: number; tried: number }> {
  const box = await venue.box({ withoutCameras: true, config: { tenants: [{ id: STRUCK, org: 'drill' }] } });
  const acknowledged = new Set<string>();
  let tried = 0;
  for (let cut = 0; cut < cuts; cut += 1) {
    await box.start();
    await requireAll(box, STRUCK, acknowledged);
    const written = await enrolUntil(box, STRUCK, async () => {
      await pause(Math.random() * LONGEST_MS);
      await box.daemon.cutPower();
    });
    for (const id of written.acknowledged) acknowledged.add(id);
    tried += written.tried;
  }
  await box.start();
  await requireAll(box, STRUCK, acknowledged);
  return { acknowledged: acknowledged.size, tried };
}
