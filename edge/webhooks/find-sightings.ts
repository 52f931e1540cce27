import type { Sighting } from '../../shared/messages/events.ts';
import type { VaultClient } from '../vault/client.ts';

const PAGE = 200;

/**
 * Stored sightings by their ids, in one pass over the list.
 * @param since when the first of them was under way or over, ISO 8601: none that ended earlier is looked at
 * @returns those that are (still) there
 */
export async function findSightings(vault: VaultClient, ids: ReadonlySet<string>, since: string): Promise<Map<string, Sighting>> {
  const found = new Map<string, Sighting>();
  let cursor: string | undefined;
  do {
    const { items, next } = await vault.listSightings({ from: since, cursor, limit: PAGE });
    for (const sighting of items) if (ids.has(sighting.id)) found.set(sighting.id, sighting);
    cursor = next ?? undefined;
  } while (cursor !== undefined && found.size < ids.size);
  return found;
}
