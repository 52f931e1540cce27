import { LEASE_MS } from '../harness/lease.ts';
import type { OfflineCase } from '../offline-case.ts';

// Seen to fail with leases for `tpm` kept in a file.
export const oldDisk: OfflineCase = {
  name: 'old-disk',
  quick: [],
  steps: [
    {
      when: 'the lease and the one after it are over, and the disk and the clock of the first one are put back',
      seen: { memory: 'lease_missing', tpm: 'lease_rolled_back', software: 'open' },
      told: { software: 'who has the whole disk has the key' },
      happen: async (machine, site) => {
        await machine.stop();
        await machine.keepImage();
        const then = machine.clock;
        await machine.start();
        await machine.renew();
        await site.cloudGoes();
        await machine.pass(LEASE_MS + 1000);
        await machine.stop();
        await machine.putBackDisk();
        machine.setClock(then);
        await machine.start();
      },
    },
  ],
};
