import { useCallback, useEffect, useRef, useState } from 'react';
import { ProblemError } from '../api/problem-error.ts';
import type { SightingsFilter } from '../api/sightings.ts';
import type { Problem, Sighting } from '../api/types.ts';
import { type Feed, mergeFeed, tenantsToLoad, withSighting } from './feed.ts';
import { loadPage } from './load-page.ts';
import { SightingStream } from './sighting-stream.ts';

const PAGE = 40;

export interface FeedState {
  /** undefined until the first page has come. */
  readonly items: readonly Sighting[] | undefined;
  readonly problem: Problem | undefined;
  readonly hasMore: boolean;
  readonly loadMore: () => Promise<void>;
  /** Whether every venue's stream is open. */
  readonly following: boolean;
  readonly reload: () => void;
}

/** The sightings of these venues: loaded page by page, and followed as they happen. */
export function useFeed(tenants: readonly string[], filter: Pick<SightingsFilter, 'camera' | 'outcome'>): FeedState {
  const [feed, setFeed] = useState<Feed>();
  const [problem, setProblem] = useState<Problem>();
  const [open, setOpen] = useState<Readonly<Record<string, boolean>>>({});
  const again = useRef<() => void>(undefined);
  const joined = tenants.join(' ');
  const { camera, outcome } = filter;

  useEffect(() => {
    const abort = new AbortController();
    const wanted = { ...(camera === undefined ? {} : { camera }), ...(outcome === undefined ? {} : { outcome }), limit: PAGE };
    const ids = joined.split(' ');
    const load = async (): Promise<void> => {
      try {
        const pages = await Promise.all(ids.map(async (id) => [id, await loadPage(id, wanted, abort.signal)] as const));
        setFeed(Object.fromEntries(pages));
        setProblem(undefined);
      } catch (error) {
        if (!abort.signal.aborted) setProblem(ProblemError.from(error).problem);
      }
    };
    again.current = () => void load();
    setFeed(undefined);
    void load();
    const broken = new Set<string>();
    const streams = ids.map(
      (id) =>
        new SightingStream(
          id,
          (sighting) => {
            if (camera !== undefined && sighting.camera !== camera) return;
            if (outcome !== undefined && sighting.outcome !== outcome) return;
            setFeed((before) => before && withSighting(before, sighting));
          },
          (isOpen) => {
            setOpen((before) => ({ ...before, [id]: isOpen }));
            // What happened while nobody listened is in the list.
            if (isOpen && broken.delete(id)) void load();
            if (!isOpen) broken.add(id);
          },
        ),
    );
    for (const stream of streams) stream.start();
    return () => {
      abort.abort();
      for (const stream of streams) stream.stop();
      setOpen({});
    };
  }, [joined, camera, outcome]);

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
    following: tenants.every((id) => open[id] === true),
    reload: () => again.current?.(),
  };
}
