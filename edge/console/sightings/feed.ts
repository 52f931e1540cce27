import type { Page, Sighting } from '../api/types.ts';

/** What is loaded of each venue's sightings, newest first. */
export type Feed = Readonly<Record<string, Page<Sighting>>>;

/**
 * One list of several venues' sightings, newest first. It ends where the first venue with more to load ends:
 * beyond that, a sighting that is not loaded yet could belong in between.
 */
export function mergeFeed(feed: Feed): readonly Sighting[] {
  const horizon = horizonOf(feed);
  return Object.values(feed)
    .flatMap(({ items }) => items)
    .filter(({ startedAt }) => horizon === undefined || startedAt >= horizon)
    .sort((a, b) => b.startedAt.localeCompare(a.startedAt) || b.id.localeCompare(a.id));
}

/** The venues whose next page carries the merged list further. */
export function tenantsToLoad(feed: Feed): readonly string[] {
  const horizon = horizonOf(feed);
  return Object.entries(feed).flatMap(([tenant, page]) => (page.next !== null && endOf(page) === horizon ? [tenant] : []));
}

/**
 * Puts a sighting that has just come into its venue's list, in the place of an earlier word on the same one.
 * @param most sightings that the list keeps; older ones are let go
 */
export function withSighting(feed: Feed, sighting: Sighting, most = Number.POSITIVE_INFINITY): Feed {
  const page = feed[sighting.tenant];
  if (page === undefined) return feed;
  const others = page.items.filter(({ id }) => id !== sighting.id);
  const at = others.findIndex(({ startedAt }) => startedAt <= sighting.startedAt);
  const items = others.toSpliced(at === -1 ? others.length : at, 0, sighting).slice(0, most);
  return { ...feed, [sighting.tenant]: { ...page, items } };
}

function horizonOf(feed: Feed): string | undefined {
  const ends = Object.values(feed).flatMap((page) => (page.next === null ? [] : endOf(page)));
  return ends.toSorted().at(-1);
}

/** Later than every sighting. */
const NOTHING_LOADED = '~';

function endOf({ items }: Page<Sighting>): string {
  return items.at(-1)?.startedAt ?? NOTHING_LOADED;
}
