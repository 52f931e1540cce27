import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Fault } from '../fault.ts';
import { enrol, requireAll } from '../harness/enrol.ts';
import { requireThat } from '../harness/not-held.ts';
import { requireFound } from '../harness/search.ts';
import { failDisk, ON_SMALL_DISK, onSmallDisk, replaceDisk } from '../harness/small-disk.ts';
import { SPARED, STRUCK } from '../harness/venue.ts';

const TOLD_MS = 15_000;

// Seen to fail with vaults that are always "writable": nothing could be stored any more, and /readyz knew of nothing.
export const diskReadOnly: Fault = {
  name: 'disk-read-only',
  expected:
    'a disk that fails and takes no writes: storage_failed is told, search and 98 % of the frames go on; on the checked disk every acknowledged write is there',
  needsRoot: true,
  run: async (venue) => {
    const box = await venue.box({ config: ON_SMALL_DISK });
    return onSmallDisk(box, async (disk) => {
      await box.start();
      const acknowledged = new Set([await enrol(box, STRUCK, 'Guest before')]);
      const kept = await box.keepsFrames(async () => {
        await failDisk(disk);
        const outcome = await enrol(box, STRUCK, 'Guest too late').then(
          () => 'stored',
          (error: unknown) => SecureGateError.from(error).code,
        );
        requireThat(outcome === 'storage_failed', `a write was answered with ${outcome}`);
        await box.tells('vaults: storage_failed', TOLD_MS);
        for (const tenant of [STRUCK, SPARED]) await requireFound(venue, box, tenant);
      });
      await box.daemon.cutPower();
      await replaceDisk(box, disk);
      await box.start();
      await requireAll(box, STRUCK, acknowledged);
      await enrol(box, STRUCK, 'Guest afterwards');
      return kept;
    });
  },
};
