import { LEASE_MS } from '../harness/lease.ts';
import type { OfflineCase } from '../offline-case.ts';

// Seen to fail with leases for `memory` kept in the file.
export const rebooted: OfflineCase = {
  name: 'rebooted',
  quick: ['tpm'],
  steps: [
    {
      when: 'the box is rebooted after half of the lease, without the cloud',
      seen: { memory: 'lease_missing', tpm: 'open', software: 'open' },
      happen: async (machine, site) => {
        await site.cloudGoes();
        await machine.pass(0.5 * LEASE_MS);
        await machine.reboot();
      },
    },
    {
      when: 'a second after the end of the lease',
      seen: { memory: 'lease_missing', tpm: 'lease_ended', software: 'lease_ended' },
      happen: (machine) => machine.pass(0.5 * LEASE_MS + 1000),
    },
  ],
};
