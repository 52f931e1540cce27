import { setTimeout as pause } from 'node:timers/promises';
import type { Fault } from '../fault.ts';
import { enrol, requireAll } from '../harness/enrol.ts';
import { STRUCK } from '../harness/venue.ts';

const WRITERS = 4;
/** Longest time between the first write and the cut. */
const LONGEST_MS = 150;

// Seen to fail with a vault that commits once a second: 5 of 5 acknowledged customers were gone after the first cut.
export const powerCuts: Fault = {
  name: 'power-cuts',
  expected:
    'kill -9 of daemon and vaults at random moments of writes, 200 times (20 with --quick): every acknowledged write is there afterwards',
  run: async (venue, { powerCuts }) => {
    const box = await venue.box({ withoutCameras: true });
    const acknowledged = new Set<string>();
    let writes = 0;
    for (let cut = 0; cut < powerCuts; cut += 1) {
      await box.start();
      await requireAll(box, STRUCK, acknowledged);
      let on = true;
      const writers = Array.from({ length: WRITERS }, async () => {
        while (on) {
          writes += 1;
          // What was not acknowledged may be there or not.
          const id = await enrol(box, STRUCK, `Guest ${writes}`).catch(() => undefined);
          if (id !== undefined) acknowledged.add(id);
        }
      });
      await pause(Math.random() * LONGEST_MS);
      const cutting = box.daemon.cutPower();
      on = false;
      await Promise.all([cutting, ...writers]);
    }
    await box.start();
    await requireAll(box, STRUCK, acknowledged);
    return `${powerCuts} cuts, all ${acknowledged.size} acknowledged of ${writes} writes there`;
  },
};
