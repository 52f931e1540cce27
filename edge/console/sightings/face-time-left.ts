import type { Sighting, Tenant } from '../api/types.ts';

/** The page's clock may be a second behind the box, and a request takes its time: what is about to go is not asked for any more. */
const MARGIN_MS = 1500;

/** How long the box still holds the face of a sighting, milliseconds; 0 when it has let it go. */
export function faceTimeLeft(
  { hasPicture, bestShotAt }: Pick<Sighting, 'hasPicture' | 'bestShotAt'>,
  tenant: Pick<Tenant, 'unmatchedTtlMs'> | undefined,
  now: number,
): number {
  if (!hasPicture || bestShotAt === null || tenant === undefined) return 0;
  return Math.max(0, Date.parse(bestShotAt) + tenant.unmatchedTtlMs - MARGIN_MS - now);
}
