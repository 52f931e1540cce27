import { CAMERAS } from '../../demo/footage/script.ts';
import type { Box } from './box.ts';
import { NotHeld } from './not-held.ts';
import { requireFound, search } from './search.ts';
import { SPARED, STRUCK, type Venue } from './venue.ts';

/**
 * Starts a box on which the struck tenant's vault does not open, and starts it again once the fault is gone.
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
  await box.stop();
  await mend();
  await box.start();
  for (const tenant of [STRUCK, SPARED]) await requireFound(venue, box, tenant);
  return `the other tenant: ${kept}`;
}
