import type { NewTenant, Tenant, TenantPatch } from '../api/types.ts';

/** The fields of the form as they are typed. */
export interface VenueDraft {
  readonly id: string;
  readonly org: string;
  /** Empty for the model's own. */
  readonly threshold: string;
  readonly ttlSeconds: string;
}

export function draftOf(venue: Tenant | undefined, org: string): VenueDraft {
  if (venue === undefined) return { id: '', org, threshold: '', ttlSeconds: '10' };
  const { id, matchThreshold, unmatchedTtlMs } = venue;
  return {
    id,
    org: venue.org,
    threshold: matchThreshold === null ? '' : String(matchThreshold),
    ttlSeconds: String(unmatchedTtlMs / 1000),
  };
}

/** The draft's policy as the box takes it. */
export function policyOf({ threshold, ttlSeconds }: VenueDraft): Required<TenantPatch> {
  return { matchThreshold: threshold === '' ? null : Number(threshold), unmatchedTtlMs: Math.round(Number(ttlSeconds) * 1000) };
}

/** A new venue as the box takes it. */
export function venueOf(draft: VenueDraft): NewTenant {
  const { matchThreshold, unmatchedTtlMs } = policyOf(draft);
  return { id: draft.id.trim(), org: draft.org.trim(), unmatchedTtlMs, ...(matchThreshold === null ? {} : { matchThreshold }) };
}
