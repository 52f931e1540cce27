import type { OfflineCase } from '../offline-case.ts';

// Seen to fail with leases for `tpm` kept in a file.
export const tpmRolledBack: OfflineCase = {
  name: 'tpm-rolled-back',
  quick: [],
  steps: [
    {
      when: 'the memory of the TPM is put back to before the last renewal',
      seen: { tpm: 'lease_rolled_back' },
      happen: async (machine, site) => {
        await machine.stop();
        await machine.keepImage();
        await machine.start();
        await machine.renew();
        await site.cloudGoes();
        await machine.stop();
        await machine.putBackTpm();
        await machine.start();
      },
    },
    {
      when: 'the disk of that time is put back with it, as with the snapshot of a virtual machine',
      seen: { tpm: 'open' },
      happen: async (machine) => {
        await machine.stop();
        await machine.putBackDisk();
        await machine.putBackTpm();
        await machine.start();
      },
    },
  ],
};
