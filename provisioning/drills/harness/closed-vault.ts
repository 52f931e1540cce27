import type { Answer } from '../../demo/daemon/box-api.ts';
import { CAMERAS } from '../../demo/footage/script.ts';
import type { Box } from './box.ts';
import { NotHeld, requireThat } from './not-held.ts';
import { requireFound, search } from './search.ts';
import { SPARED, STRUCK, type Venue } from './venue.ts';
import { within } from './within.ts';

/** From the operator's word to the first guest found. */
const OPEN_MS = 3000;

/**
 * Starts a box on which the struck tenant's vault does not open, and lets its operator open it once the fault is gone.
 * @param reason that /readyz has to tell
 * @throws {NotHeld} where the other tenant notices, the reason is not told, or the struck tenant does not come back
 */
export async function staysClosed(venue: Venue, box: Box, reason: string, mend: () => Promise<void>): Promise<string> {
  const spared = CAMERAS.flatMap(({ id, tenant }) => (tenant === SPARED ? id : []));
  await box.start(spared);
  const told = await box.api.unready();
  if (!told.includes(`vaults: ${reason}`)) throw new NotHeld(`readyz says ${told.join(', ') || 'ready'}`);
  const outcome = await search(venue, box, STRUCK);
  if (outcome !== 'vault_unavailable') throw new NotHeld(`a search in the closed vault was answered with ${outcome}`);
  const kept = await box.keepsFrames(async () => requireFound(venue, box, SPARED), spared);
  const again = (): Promise<Answer> => box.api.post(`/v1/tenants/${STRUCK}/open`, {});
  const { body } = await again();
  requireThat(body.code === reason, `opened before it was mended it says ${body.code ?? body.state}`);
  await mend();
  const { ms } = await within(OPEN_MS, 'the guest is found', async () => {
    await again();
    return (await search(venue, box, STRUCK)) === 'found' || undefined;
  });
  await requireFound(venue, box, SPARED);
  return `the other tenant: ${kept}; mended, its guest is found after ${(ms / 1000).toFixed(1)} s`;
}
