import { type SightingsFilter, sightings } from '../api/sightings.ts';
import type { Page, Sighting } from '../api/types.ts';
import { fitsFilter } from './fits-filter.ts';
import { loadPage } from './load-page.ts';

/** The first page of a venue's sightings, with those of known people who are still in view: the box lists these once they are over. */
export async function loadNewest(tenant: string, filter: SightingsFilter, signal: AbortSignal): Promise<Page<Sighting>> {
  // Asked first: whoever leaves in between is on the page, and in view no more.
  const inView = await sightings.inView(tenant, signal);
  const page = await loadPage(tenant, filter, signal);
  const over = new Set(page.items.map(({ id }) => id));
  const end = page.next === null ? undefined : page.items.at(-1)?.startedAt;
  const present = inView.items.filter(
    (sighting) => !over.has(sighting.id) && fitsFilter(sighting, filter) && (end === undefined || sighting.startedAt >= end),
  );
  return { ...page, items: [...present, ...page.items].sort((a, b) => b.startedAt.localeCompare(a.startedAt)) };
}
