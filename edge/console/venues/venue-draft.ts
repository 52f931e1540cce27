import type { NewTenant, Tenant, TenantPatch } from '../api/types.ts';

/** The fields of the form as they are typed. */
export interface VenueDraft {
  readonly id: string;
  readonly org: string;
  /** Empty for the model's own. */
  readonly threshold: string;
  readonly ttlSeconds: string;
  readonly sightingsDays: string;
}

export function draftOf(venue: Tenant | undefined, org: string): VenueDraft {
  if (venue === undefined) return { id: '', org, threshold: '', ttlSeconds: '10', sightingsDays: '30' };
  const { id, matchThreshold, unmatchedTtlMs, sightingsDays } = venue;
  return {
    id,
    org: venue.org,
    threshold: matchThreshold === null ? '' : String(matchThreshold),
    ttlSeconds: String(unmatchedTtlMs / 1000),
    sightingsDays: String(sightingsDays),
  };
}

/** The draft's policy as the box takes it. */
export function policyOf({ threshold, ttlSeconds, sightingsDays }: VenueDraft): Required<TenantPatch> {
  return {
    matchThreshold: threshold === '' ? null : Number(threshold),
    unmatchedTtlMs: Math.round(Number(ttlSeconds) * 1000),
    sightingsDays: Number(sightingsDays),
  };
}

/** A new venue as the box takes it. */
export function venueOf(draft: VenueDraft): NewTenant {
  const { matchThreshold, ...rest } = policyOf(draft);
  return { id: draft.id.trim(), org: draft.org.trim(), ...rest, ...(matchThreshold === null ? {} : { matchThreshold }) };
}
