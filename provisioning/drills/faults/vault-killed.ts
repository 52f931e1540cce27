import type { Fault } from '../fault.ts';
import { findVault } from '../harness/find-vault.ts';
import { requireFound, search } from '../harness/search.ts';
import { SPARED, STRUCK } from '../harness/venue.ts';
import { within } from '../harness/within.ts';

const BACK_MS = 3000;

// Seen to fail without the restart of a vault that ended: its guest was not found again.
export const vaultKilled: Fault = {
  name: 'vault-killed',
  expected: "a tenant's vault that is killed is told by /readyz and finds its guest again within 3 s; the other tenant's never stops",
  run: async (venue) => {
    const box = await venue.box();
    await box.start();
    await requireFound(venue, box, STRUCK);
    let seconds = '';
    const kept = await box.keepsFrames(async () => {
      process.kill(await findVault(box.daemon.pid, STRUCK), 'SIGKILL');
      await box.tells('vaults: vault_unavailable', BACK_MS);
      await requireFound(venue, box, SPARED);
      const { ms } = await within(BACK_MS, 'the guest is found again', async () =>
        (await search(venue, box, STRUCK)) === 'found' ? true : undefined,
      );
      seconds = (ms / 1000).toFixed(1);
    });
    return `${kept}, guest found again after ${seconds} s`;
  },
};
