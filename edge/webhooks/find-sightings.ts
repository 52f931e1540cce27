import type { Sighting } from '../../shared/messages/events.ts';
import type { VaultClient } from '../vault/client.ts';

const PAGE = 200;

/**
 * Stored sightings, in one pass over the list.
 * @param references `endedAt`: when the sighting was under way or over, ISO 8601; none that ended before all of these is looked at
 * @returns by their ids, those that are (still) there
 */
export async function findSightings(
  vault: VaultClient,
  references: readonly { readonly sightingId: string; readonly endedAt: string }[],
): Promise<Map<string, Sighting>> {
  const found = new Map<string, Sighting>();
  const ids = new Set(references.map(({ sightingId }) => sightingId));
  const [from] = references.map(({ endedAt }) => endedAt).sort();
  let cursor: string | undefined;
  while (found.size < ids.size) {
    const { items, next } = await vault.listSightings({ from, cursor, limit: PAGE });
    for (const sighting of items) if (ids.has(sighting.id)) found.set(sighting.id, sighting);
    if (next === null) break;
    cursor = next;
  }
  return found;
}
