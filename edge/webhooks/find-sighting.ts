import type { Sighting } from '../../shared/messages/events.ts';
import type { VaultClient } from '../vault/client.ts';

const PAGE = 100;
const AROUND_MS = 1000;

/** A stored sighting by its id; `startedAt` spares reading all of them. @returns undefined when it is not there (any more) */
export async function findSighting(vault: VaultClient, id: string, startedAt: string): Promise<Sighting | undefined> {
  const started = Date.parse(startedAt);
  const from = new Date(started - AROUND_MS).toISOString();
  const to = new Date(started + AROUND_MS).toISOString();
  let cursor: string | undefined;
  do {
    const { items, next } = await vault.listSightings({ from, to, cursor, limit: PAGE });
    const found = items.find((sighting) => sighting.id === id);
    if (found !== undefined) return found;
    cursor = next ?? undefined;
  } while (cursor !== undefined);
  return undefined;
}
