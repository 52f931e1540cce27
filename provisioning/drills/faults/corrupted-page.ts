import { open } from 'node:fs/promises';
import type { Fault } from '../fault.ts';
import { staysClosed } from '../harness/closed-vault.ts';
import { STRUCK } from '../harness/venue.ts';

const PAGE = 16_384;

// Seen to fail with SQLite's word for a damaged page not understood: /readyz said internal, which tells nobody to take the backup.
export const corruptedPage: Fault = {
  name: 'corrupted-page',
  expected:
    "one bit of one page of a tenant's database: its vault stays closed with vault_corrupt, the other tenant keeps 98 %; mended, its guest is found within 3 s without a restart",
  run: async (venue) => {
    const box = await venue.box();
    const file = await open(box.path('data', 'tenants', STRUCK, 'vault.db'), 'r+');
    try {
      const { size } = await file.stat();
      const at = Math.floor(size / PAGE / 2) * PAGE + PAGE / 2;
      const flip = async (): Promise<void> => {
        const byte = Buffer.alloc(1);
        await file.read(byte, 0, 1, at);
        byte[0] = (byte[0] ?? 0) ^ 1;
        await file.write(byte, 0, 1, at);
        await file.sync();
      };
      await flip();
      return await staysClosed(venue, box, 'vault_corrupt', flip);
    } finally {
      await file.close();
    }
  },
};
