import type { Fault } from '../fault.ts';
import { requireThat } from '../harness/not-held.ts';
import { WatchedDaemon } from '../harness/watched-daemon.ts';
import { within } from '../harness/within.ts';

const END_MS = 15_000;

// Seen to fail without the exclusive lock on appliance.db: the second daemon stayed, without a vault.
export const twoDaemons: Fault = {
  name: 'two-daemons',
  expected: 'a second daemon on the same folder ends with 1 and data_folder_in_use; the first one keeps 98 % of its frames',
  run: async (venue) => {
    const box = await venue.box();
    await box.start();
    const second = new WatchedDaemon({ configFile: box.path('box.json'), logFile: box.path('second.log') });
    second.start();
    try {
      const kept = await box.keepsFrames(async () => {
        const { result: end } = await within(END_MS, 'the second daemon ends', () => second.ended);
        requireThat(end === 1, `the second daemon ended with ${end}`);
      });
      requireThat((await second.log()).includes('data_folder_in_use'), 'the second daemon did not say why');
      return kept;
    } finally {
      await second.cutPower();
    }
  },
};
