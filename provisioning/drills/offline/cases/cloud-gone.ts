import { LEASE_MS } from '../harness/lease.ts';
import type { OfflineCase } from '../offline-case.ts';

// Seen to fail with a watch that never ends the vault, and with one that ends it a fifth too early.
export const cloudGone: OfflineCase = {
  name: 'cloud-gone',
  quick: ['memory'],
  steps: [
    {
      when: 'the cloud is gone for nine tenths of the lease',
      seen: { memory: 'open', tpm: 'open', software: 'open' },
      happen: async (machine, site) => {
        await site.cloudGoes();
        await machine.pass(0.9 * LEASE_MS);
      },
    },
    {
      when: 'a second after the end of the lease',
      seen: { memory: 'lease_ended', tpm: 'lease_ended', software: 'lease_ended' },
      happen: (machine) => machine.pass(0.1 * LEASE_MS + 1000),
    },
    {
      when: 'the cloud is back',
      seen: { memory: 'open', tpm: 'open', software: 'open' },
      happen: (_machine, site) => site.cloudComes(),
    },
  ],
};
