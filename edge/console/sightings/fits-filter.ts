import type { SightingsFilter } from '../api/sightings.ts';
import type { Sighting } from '../api/types.ts';

/** Whether a sighting is of the camera and the outcome that are asked for; what is not named leaves all. */
export function fitsFilter(sighting: Sighting, { camera, outcome }: Pick<SightingsFilter, 'camera' | 'outcome'>): boolean {
  return (camera === undefined || sighting.camera === camera) && (outcome === undefined || sighting.outcome === outcome);
}
