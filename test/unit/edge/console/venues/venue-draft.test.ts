import { expect, test } from 'vitest';
import { draftOf, policyOf, venueOf } from '../../../../../edge/console/venues/venue-draft.ts';

test('an empty similarity is the limit of the model: left out of a new venue, taken back from an old one', () => {
  const draft = { ...draftOf(undefined, 'acme'), id: ' south ' };
  expect(venueOf(draft)).toEqual({ id: 'south', org: 'acme', unmatchedTtlMs: 10_000, sightingsDays: 30 });
  expect(policyOf(draft)).toEqual({ matchThreshold: null, unmatchedTtlMs: 10_000, sightingsDays: 30 });
  expect(venueOf({ ...draft, threshold: '0.5', ttlSeconds: '2', sightingsDays: '7' })).toMatchObject({
    matchThreshold: 0.5,
    unmatchedTtlMs: 2000,
    sightingsDays: 7,
  });
});

test('a policy that nobody touches stays as it is', () => {
  const policy = { matchThreshold: 0.55, unmatchedTtlMs: 2500, sightingsDays: 90 };
  const venue = { id: 'south', org: 'acme', keys: 'file', state: 'ready', reason: null, fixed: false, ...policy } as const;
  expect(policyOf(draftOf(venue, 'other'))).toEqual(policy);
});
