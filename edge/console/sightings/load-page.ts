import { type SightingsFilter, sightings } from '../api/sightings.ts';
import type { Page, Sighting } from '../api/types.ts';

/** A filter may leave page after page empty; after so many the person is asked whether to go on. */
const MOST_EMPTY_PAGES = 10;

/** The next page of a venue's sightings that has something in it. */
export async function loadPage(tenant: string, filter: SightingsFilter, signal: AbortSignal): Promise<Page<Sighting>> {
  let page = await sightings.list(tenant, filter, signal);
  for (let empty = 1; page.items.length === 0 && page.next !== null && empty < MOST_EMPTY_PAGES; empty += 1) {
    page = await sightings.list(tenant, { ...filter, cursor: page.next }, signal);
  }
  return page;
}
