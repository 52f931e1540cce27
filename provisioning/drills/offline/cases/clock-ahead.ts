import type { OfflineCase } from '../offline-case.ts';

const YEAR_MS = 365 * 86_400_000;

// Seen to fail with a clock that is not looked at, and without the KMS's word setting time back.
export const clockAhead: OfflineCase = {
  name: 'clock-ahead',
  quick: [],
  steps: [
    {
      when: 'the clock is a year ahead at a start',
      seen: { memory: 'lease_missing', tpm: 'lease_ended', software: 'lease_ended' },
      happen: async (machine, site) => {
        await site.cloudGoes();
        await machine.stop();
        machine.setClock(Date.now() + YEAR_MS);
        await machine.start();
      },
    },
    {
      when: 'the clock is corrected',
      seen: { memory: 'lease_missing', tpm: 'lease_ended', software: 'lease_ended' },
      happen: async (machine) => {
        await machine.stop();
        machine.setClock(Date.now());
        await machine.start();
      },
    },
    {
      when: 'the KMS has told the time',
      seen: { memory: 'open', tpm: 'open', software: 'open' },
      happen: (_machine, site) => site.cloudComes(),
    },
    {
      when: 'the box is rebooted without the cloud',
      seen: { memory: 'lease_missing', tpm: 'open', software: 'open' },
      happen: async (machine, site) => {
        await site.cloudGoes();
        await machine.reboot();
      },
    },
  ],
};
