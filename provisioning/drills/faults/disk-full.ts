import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Fault } from '../fault.ts';
import { enrol, requireAll } from '../harness/enrol.ts';
import { NotHeld } from '../harness/not-held.ts';
import { requireFound } from '../harness/search.ts';
import { ON_SMALL_DISK, onSmallDisk } from '../harness/small-disk.ts';
import { SPARED, STRUCK } from '../harness/venue.ts';

/** The box tries the disk every five seconds, in two steps. */
const TOLD_MS = 15_000;
const MOST_WRITES = 2000;

// Seen to fail with vaults that are always "writable": everything was refused, and /readyz knew of nothing.
export const diskFull: Fault = {
  name: 'disk-full',
  expected:
    'on a full disk writes are refused with storage_failed, /readyz says so, search and 98 % of the frames go on; with space all is well within 15 s',
  needsRoot: true,
  run: async (venue) => {
    const box = await venue.box({ config: ON_SMALL_DISK });
    return onSmallDisk(box, async (disk) => {
      await box.start();
      const acknowledged = new Set<string>();
      const kept = await box.keepsFrames(async () => {
        await fill(`${disk}/filler`);
        let refused = false;
        for (let write = 0; !refused && write < MOST_WRITES; write += 1) {
          try {
            acknowledged.add(await enrol(box, STRUCK, `Guest ${write}`));
          } catch (error) {
            if (!(error instanceof SecureGateError && error.code === 'storage_failed')) throw error;
            refused = true;
          }
        }
        if (!refused) throw new NotHeld('the disk is not full');
        await box.tells('vaults: storage_failed', TOLD_MS);
        for (const tenant of [STRUCK, SPARED]) await requireFound(venue, box, tenant);
      });
      await rm(`${disk}/filler`);
      const ms = await box.isReadyAgain(TOLD_MS);
      acknowledged.add(await enrol(box, STRUCK, 'Guest afterwards'));
      await box.daemon.cutPower();
      await box.start();
      await requireAll(box, STRUCK, acknowledged);
      return `${kept}, ready ${(ms / 1000).toFixed(1)} s after there was space, all ${acknowledged.size} acknowledged writes there`;
    });
  },
};

/** Writes a file until the disk takes no more. */
async function fill(file: string): Promise<void> {
  const block = Buffer.alloc(64 * 1024, 1);
  for (const size of [block.length, 4096, 512]) {
    await pipeline(
      function* () {
        for (;;) yield block.subarray(0, size);
      },
      createWriteStream(file, { flags: 'a' }),
    ).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
    });
  }
}
