import { describe, expect, test } from 'vitest';
import type { Sighting } from '../../../../../edge/console/api/types.ts';
import { type Feed, mergeFeed, tenantsToLoad, withSighting } from '../../../../../edge/console/sightings/feed.ts';

/** A sighting at a minute past noon. */
function seen(tenant: string, minute: number, more: Partial<Sighting> = {}): Sighting {
  const at = `2026-11-01T12:${String(minute).padStart(2, '0')}:00.000Z`;
  return {
    phase: 'ended',
    id: `sig_${tenant}_${minute}`,
    tenant,
    camera: 'door',
    track: minute,
    startedAt: at,
    bestShotAt: at,
    endedAt: at,
    media: { startMs: 0, bestShotMs: 0, endMs: 0 },
    box: { x: 0, y: 0, width: 1, height: 1 },
    outcome: 'unknown',
    customerId: null,
    score: 0.1,
    votes: 1,
    models: { detector: 'd', landmarks: null, embedder: 'e' },
    name: null,
    hasPicture: false,
    ...more,
  };
}

const minutes = (feed: Feed): number[] => mergeFeed(feed).map(({ track }) => track);

describe('the sightings of several venues', () => {
  test('stand in one list, newest first', () => {
    const feed = { a: { items: [seen('a', 9), seen('a', 3)], next: null }, b: { items: [seen('b', 7), seen('b', 1)], next: null } };
    expect(minutes(feed)).toEqual([9, 7, 3, 1]);
    expect(tenantsToLoad(feed)).toEqual([]);
  });

  test('end where a venue has more that could belong in between', () => {
    const feed = { a: { items: [seen('a', 9), seen('a', 5)], next: 'more' }, b: { items: [seen('b', 7), seen('b', 1)], next: 'more' } };
    expect(minutes(feed)).toEqual([9, 7, 5]);
    expect(tenantsToLoad(feed)).toEqual(['a']);
  });

  test('wait for a venue of which nothing has come yet, though there is more', () => {
    const feed = { a: { items: [], next: 'more' }, b: { items: [seen('b', 7)], next: null } };
    expect(minutes(feed)).toEqual([]);
    expect(tenantsToLoad(feed)).toEqual(['a']);
  });
});

describe('a sighting that comes in', () => {
  const feed = { a: { items: [seen('a', 9), seen('a', 3)], next: null } };

  test('takes its place by its beginning', () => {
    expect(minutes(withSighting(feed, seen('a', 5)))).toEqual([9, 5, 3]);
    expect(minutes(withSighting(feed, seen('a', 1)))).toEqual([9, 3, 1]);
  });

  test('replaces an earlier word on the same one', () => {
    const after = withSighting(feed, seen('a', 3, { outcome: 'person', name: 'Ada' }));
    expect(mergeFeed(after).map(({ name }) => name)).toEqual([null, 'Ada']);
  });

  test('lets the oldest go where just so many are kept', () => {
    expect(minutes(withSighting(feed, seen('a', 12), 2))).toEqual([12, 9]);
  });

  test('of a venue that is not followed changes nothing', () => {
    expect(withSighting(feed, seen('b', 5))).toBe(feed);
  });
});
