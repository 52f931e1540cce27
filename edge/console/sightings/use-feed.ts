import { useCallback, useEffect, useRef, useState } from 'react';
import { ProblemError } from '../api/problem-error.ts';
import type { SightingsFilter } from '../api/sightings.ts';
import type { Problem, Sighting } from '../api/types.ts';
import { type Feed, mergeFeed, tenantsToLoad, withSighting } from './feed.ts';
import { fitsFilter } from './fits-filter.ts';
import { loadNewest } from './load-newest.ts';
import { loadPage } from './load-page.ts';
import { SightingStream } from './sighting-stream.ts';

const PAGE = 40;

export interface FeedState {
  /** undefined until the first page has come. */
  readonly items: readonly Sighting[] | undefined;
  readonly problem: Problem | undefined;
  readonly hasMore: boolean;
  readonly loadMore: () => Promise<void>;
  /** Whether the stream is open. */
  readonly following: boolean;
  readonly reload: () => void;
}

/**
 * The sightings of these venues: loaded page by page, and followed as they happen.
 * @param most sightings of a venue that are kept, for a list that is never loaded further
 */
export function useFeed(tenants: readonly string[], filter: Pick<SightingsFilter, 'camera' | 'outcome'>, most?: number): FeedState {
  const [feed, setFeed] = useState<Feed>();
  const [problem, setProblem] = useState<Problem>();
  const [following, setFollowing] = useState(false);
  const again = useRef<() => void>(undefined);
  const joined = tenants.join(' ');
  const { camera, outcome } = filter;

  useEffect(() => {
    const abort = new AbortController();
    const wanted = { ...(camera === undefined ? {} : { camera }), ...(outcome === undefined ? {} : { outcome }), limit: PAGE };
    const ids = joined.split(' ');
    // What came while the list was being loaded, which may not be in it.
    const meanwhile = new Set<Sighting[]>();
    const load = async (): Promise<void> => {
      const heard: Sighting[] = [];
      meanwhile.add(heard);
      try {
        const pages = await Promise.all(ids.map(async (id) => [id, await loadNewest(id, wanted, abort.signal)] as const));
        setFeed(heard.reduce<Feed>((loaded, sighting) => withSighting(loaded, sighting, most), Object.fromEntries(pages)));
        setProblem(undefined);
      } catch (error) {
        if (!abort.signal.aborted) setProblem(ProblemError.from(error).problem);
      } finally {
        meanwhile.delete(heard);
      }
    };
    again.current = () => void load();
    setFeed(undefined);
    void load();
    let broken = false;
    const stream = new SightingStream(
      ids,
      (sighting) => {
        if (!fitsFilter(sighting, wanted)) return;
        for (const heard of meanwhile) heard.push(sighting);
        setFeed((before) => before && withSighting(before, sighting, most));
      },
      (isOpen) => {
        setFollowing(isOpen);
        // What happened while nobody listened is in the list.
        if (isOpen && broken) void load();
        broken = !isOpen;
      },
    );
    stream.start();
    return () => {
      abort.abort();
      stream.stop();
      setFollowing(false);
    };
  }, [joined, camera, outcome, most]);

  const loadMore = useCallback(async () => {
    if (feed === undefined) return;
    const wanted = { ...(camera === undefined ? {} : { camera }), ...(outcome === undefined ? {} : { outcome }), limit: PAGE };
    const signal = new AbortController().signal;
    for (const tenant of tenantsToLoad(feed)) {
      const cursor = feed[tenant]?.next;
      if (cursor === null || cursor === undefined) continue;
      const page = await loadPage(tenant, { ...wanted, cursor }, signal);
      setFeed((before) => before && { ...before, [tenant]: { items: [...(before[tenant]?.items ?? []), ...page.items], next: page.next } });
    }
  }, [feed, camera, outcome]);

  return {
    items: feed && mergeFeed(feed),
    problem,
    hasMore: feed !== undefined && tenantsToLoad(feed).length > 0,
    loadMore,
    following,
    reload: () => again.current?.(),
  };
}
