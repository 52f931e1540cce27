import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Fault } from '../fault.ts';
import { NotHeld, requireThat } from '../harness/not-held.ts';
import { requireFound } from '../harness/search.ts';
import { STRUCK } from '../harness/venue.ts';
import { VICTIM, withVictim } from '../harness/with-victim.ts';

const run = promisify(execFile);

// Seen to fail with a retry that stops at an error it does not know: the camera that needed a new connection stayed away for ever.
export const outOfDescriptors: Fault = {
  name: 'out-of-descriptors',
  expected:
    'a daemon that can open no file keeps 98 % of the frames of what is open; a camera that has to connect does so 3 s after it can',
  run: (venue) =>
    withVictim(venue, async (victim, box) => {
      const { pid } = box.daemon;
      const limit = (most: string): Promise<unknown> => run('prlimit', [`--pid=${pid}`, `--nofile=${most}`]);
      const { stdout } = await run('prlimit', [`--pid=${pid}`, '--nofile', '--raw', '--noheadings', '--output=SOFT']);
      const from = box.daemon.events.length;
      const kept = await box.keepsFrames(async () => {
        // What is open stays so, and no new one can have a number as low as that.
        await limit('3:');
        victim.dropConnections();
        await box.failsOf(VICTIM, from);
        await box.daemon.nextStats();
        await box.daemon.nextStats();
        requireThat(
          !box.daemon.events.slice(from).some((event) => event.type === 'camera' && event.state === 'live'),
          'it could open files',
        );
      });
      const returned = await box.returns(VICTIM, async () => void (await limit(`${stdout.trim()}:`)));
      await requireFound(venue, box, STRUCK).catch((error: unknown) => {
        throw new NotHeld(`the API did not come back: ${String(error)}`);
      });
      return `${kept}, ${returned}`;
    }),
};
