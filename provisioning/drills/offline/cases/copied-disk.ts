import type { OfflineCase } from '../offline-case.ts';

// Seen to fail with leases for `tpm` kept in a file.
export const copiedDisk: OfflineCase = {
  name: 'copied-disk',
  quick: ['software'],
  steps: [
    {
      when: 'a copy of the disk is started on another machine',
      seen: { memory: 'lease_missing', tpm: 'lease_cache_failed', software: 'open' },
      told: { software: 'who has the whole disk has the key' },
      happen: async (machine, site) => {
        await site.cloudGoes();
        await machine.stop();
        await site.copyDisk();
        await site.machine.start();
      },
    },
  ],
};
