import { LEASE_MS } from '../harness/lease.ts';
import type { OfflineCase } from '../offline-case.ts';

// Seen to fail without the mark of time: under a clock that says 1970 the lease never ended.
export const clockDead: OfflineCase = {
  name: 'clock-dead',
  quick: [],
  steps: [
    {
      when: 'the power goes after half of the lease, and the clock says 1970 at the next start',
      seen: { memory: 'lease_missing', tpm: 'open', software: 'open' },
      happen: async (machine, site) => {
        await site.cloudGoes();
        await machine.pass(0.5 * LEASE_MS);
        await machine.cutPower();
        machine.setClock(0);
        await machine.start();
      },
    },
    {
      when: 'after the other half and a second, by a clock that still says 1970',
      seen: { memory: 'lease_missing', tpm: 'lease_ended', software: 'lease_ended' },
      happen: (machine) => machine.pass(0.5 * LEASE_MS + 1000),
    },
  ],
};
