import type { Fault } from '../fault.ts';
import { requireThat, TooSlow } from '../harness/not-held.ts';
import { search } from '../harness/search.ts';
import { SPARED, STRUCK } from '../harness/venue.ts';

const LIMIT_MS = 10_000;
const SEARCHES = 6;

// Seen to fail with event streams that are not closed at the stop: the daemon waited for their listeners until it killed itself.
export const stopUnderLoad: Fault = {
  name: 'stop-under-load',
  expected: 'SIGTERM while four cameras, searches and event streams run: it ends with 0 within 10 s',
  run: async (venue) => {
    const box = await venue.box();
    await box.start();
    const streams = [STRUCK, SPARED].map((tenant) =>
      box.api.listen(`/v1/sightings/stream?tenants=${tenant}`, new AbortController().signal).catch(() => undefined),
    );
    const stopping = new AbortController();
    const searches = Array.from({ length: SEARCHES }, async () => {
      while (!stopping.signal.aborted) await search(venue, box, STRUCK).catch(() => stopping.abort());
    });
    await box.daemon.until('sighting');
    const started = performance.now();
    box.daemon.kill('SIGTERM');
    const end = await box.daemon.end;
    const seconds = (performance.now() - started) / 1000;
    await Promise.all([...searches, ...streams]);
    if (end === 'SIGKILL') throw new TooSlow(`it ended itself after ${seconds.toFixed(1)} s`);
    requireThat(end === 0, `it ended with ${end} after ${seconds.toFixed(1)} s`);
    if (seconds * 1000 > LIMIT_MS) throw new TooSlow(`it took ${seconds.toFixed(1)} s`);
    return `ended with 0 after ${seconds.toFixed(1)} s`;
  },
};
