import { copyFile, writeFile } from 'node:fs/promises';
import type { Fault } from '../fault.ts';
import { staysClosed } from '../harness/closed-vault.ts';
import { STRUCK } from '../harness/venue.ts';

// Seen to fail with a start that gives up with the first vault that fails: the daemon ended, and no tenant had a box.
export const wrongKey: Fault = {
  name: 'wrong-key',
  expected:
    "another key in the place of a tenant's: its vault stays closed with key_rejected, the other tenant keeps 98 %; put back, its guest is found within 3 s without a restart",
  run: async (venue) => {
    const box = await venue.box();
    const key = box.path('keys', `${STRUCK}.key`);
    const kept = box.path('right.key');
    await copyFile(key, kept);
    await writeFile(key, Buffer.alloc(32, 7), { mode: 0o600 });
    return staysClosed(venue, box, 'key_rejected', () => copyFile(kept, key));
  },
};
