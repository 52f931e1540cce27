import type { Fault } from '../fault.ts';
import { requireThat } from '../harness/not-held.ts';
import { requireFound } from '../harness/search.ts';
import { STRUCK } from '../harness/venue.ts';

// Seen to fail with a watchdog that took the box's own standstill for the cameras': all four were given up and called anew.
export const eventLoopBlocked: Fault = {
  name: 'event-loop-blocked',
  expected: 'a main thread that stands still for 4 s makes no camera fail; the figures tell it, and afterwards 98 % of the frames are kept',
  run: async (venue) => {
    const box = await venue.box({ imports: [new URL('../sabotage/block-event-loop.ts', import.meta.url)] });
    await box.start();
    const from = box.daemon.events.length;
    const before = await box.daemon.nextStats();
    box.daemon.kill('SIGUSR2');
    const after = await box.daemon.until('stats', ({ uptimeMs }) => uptimeMs > before.uptimeMs + 3000, from);
    requireThat(after.uptimeMs - before.uptimeMs >= 3900, 'the main thread did not stand still');
    const kept = await box.keepsFrames(async () => requireFound(venue, box, STRUCK));
    box.requireAllLive(from);
    return `no camera failed, afterwards ${kept}`;
  },
};
