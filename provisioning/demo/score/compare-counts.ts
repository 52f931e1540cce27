import type { Sighting } from '../../../shared/messages/events.ts';

/** Sightings of a camera, as somebody counts them who must not know whom it saw. */
export interface CameraCount {
  readonly camera: string;
  /** Of customers. */
  readonly known: number;
  /** Of everybody else. */
  readonly unknown: number;
}

export interface Comparison {
  readonly sightingsOnBox: number;
  readonly sightingsInCloud: number;
  /** Cameras of which the cloud counts others than the box saw. */
  readonly miscounted: readonly string[];
}

/**
 * Compares what the cloud counted with what the box saw.
 * @param sightings as the box reported them; those that are over count
 * @param counts of the cloud, in one or several pieces for each camera
 */
export function compareCounts(sightings: readonly Sighting[], counts: readonly CameraCount[]): Comparison {
  const ended = new Map(sightings.filter(({ phase }) => phase === 'ended').map((sighting) => [sighting.id, sighting]));
  const onBox = totals(
    Array.from(ended.values(), ({ camera, outcome }) => ({
      camera,
      known: Number(outcome === 'person'),
      unknown: Number(outcome !== 'person'),
    })),
  );
  const inCloud = totals(counts);
  const cameras = [...new Set([...onBox.keys(), ...inCloud.keys()])];
  const of = (count: CameraCount | undefined): string => `${count?.known ?? 0} ${count?.unknown ?? 0}`;
  return {
    sightingsOnBox: ended.size,
    sightingsInCloud: counts.reduce((sum, { known, unknown }) => sum + known + unknown, 0),
    miscounted: cameras.filter((camera) => of(onBox.get(camera)) !== of(inCloud.get(camera))),
  };
}

/** By camera. */
function totals(counts: readonly CameraCount[]): Map<string, CameraCount> {
  const sums = new Map<string, CameraCount>();
  for (const { camera, known, unknown } of counts) {
    const sum = sums.get(camera) ?? { camera, known: 0, unknown: 0 };
    sums.set(camera, { camera, known: sum.known + known, unknown: sum.unknown + unknown });
  }
  return sums;
}
