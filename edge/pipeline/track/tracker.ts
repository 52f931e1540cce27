import type { Box, Detection } from '../frame.ts';
import { assign } from './assign.ts';
import { NOBODY, Track } from './track.ts';

/** A confirmed track as it stands after a frame. */
export interface TrackView {
  /** Counts the confirmed tracks of one camera, from 1. */
  readonly id: number;
  /** The detection's box; while the face is out of sight where it should be; of an ended track where it was last seen. */
  readonly box: Box;
  /** Place in the list of detections; null while the face is out of sight. */
  readonly detectionIndex: number | null;
  /** When the face was first and last seen, milliseconds of the stream. */
  readonly startedMs: number;
  readonly lastSeenMs: number;
}

export interface TrackerOptions {
  /** How long a face may be out of sight and keep its track, milliseconds. */
  readonly maxGapMs: number;
  /** Sightings that confirm a track: fewer are taken for a detector's mistake and never reported. */
  readonly confirmHits: number;
}

const DEFAULTS: TrackerOptions = { maxGapMs: 1500, confirmHits: 2 };
/** How long a track that is not confirmed yet may be out of sight. */
const UNCONFIRMED_GAP_MS = 500;

/**
 * Follows the faces of one camera from frame to frame by where they should be (constant velocity) and how much they
 * overlap it. All tracks and detections of a frame are matched at once, at the least total cost, so that people who
 * cross keep their tracks. Looks at nobody's face; the same input always gives the same tracks.
 */
export class Tracker {
  readonly #options: TrackerOptions;
  #tracks: Track[] = [];
  #confirmed = 0;

  constructor(options: Partial<TrackerOptions> = {}) {
    this.#options = { ...DEFAULTS, ...options };
  }

  /**
   * Takes in the detections of the next frame.
   *
   * @param mediaMs presentation time of the frame; must not go back
   * @returns the confirmed tracks, oldest first, and those that ended with this frame
   */
  update(detections: readonly Detection[], mediaMs: number): { tracks: TrackView[]; ended: TrackView[] } {
    const matched = this.#match(detections, mediaMs);
    const taken = new Set(matched.values());
    const ended: TrackView[] = [];
    this.#tracks = this.#tracks.filter((track) => {
      const index = matched.get(track);
      if (index !== undefined) {
        track.see((detections[index] as Detection).box, mediaMs);
        return true;
      }
      track.missed += 1;
      if (mediaMs - track.lastSeenMs <= this.#gapOf(track)) return true;
      ended.push(...viewOf(track, track.box, null));
      return false;
    });
    detections.forEach(({ box }, index) => {
      if (taken.has(index)) return;
      const track = new Track(box, mediaMs);
      this.#tracks.push(track);
      matched.set(track, index);
    });
    for (const track of this.#tracks) {
      if (track.id === null && track.hits >= this.#options.confirmHits) track.id = ++this.#confirmed;
    }
    const tracks = this.#tracks.flatMap((track) => {
      const index = matched.get(track) ?? null;
      return viewOf(track, index === null ? track.expectedBox(mediaMs) : track.box, index);
    });
    return { tracks: tracks.sort((a, b) => a.id - b.id), ended };
  }

  /** Ends all tracks: the stream has ended, or was cut and goes on with a time of its own. */
  flush(): TrackView[] {
    const ended = this.#tracks.flatMap((track) => viewOf(track, track.box, null));
    this.#tracks = [];
    return ended;
  }

  #gapOf(track: Track): number {
    return track.id === null ? Math.min(UNCONFIRMED_GAP_MS, this.#options.maxGapMs) : this.#options.maxGapMs;
  }

  #match(detections: readonly Detection[], mediaMs: number): Map<Track, number> {
    // A stream may be sampled more slowly than the gap is long: the very next frame always counts.
    const open = this.#tracks.filter((track) => track.missed === 0 || mediaMs - track.lastSeenMs <= this.#gapOf(track));
    const costs = open.map((track) => detections.map(({ box }) => track.cost(box, mediaMs) - NOBODY));
    const matched = new Map<Track, number>();
    assign(costs).forEach((index, row) => {
      // A pair that costs as much as two strangers is none.
      if (index >= 0 && (costs[row]?.[index] as number) < 0) matched.set(open[row] as Track, index);
    });
    return matched;
  }
}

/** Empty for a track that is not confirmed: it may be a detector's mistake. */
function viewOf({ id, startedMs, lastSeenMs }: Track, box: Box, detectionIndex: number | null): TrackView[] {
  return id === null ? [] : [{ id, box, detectionIndex, startedMs, lastSeenMs }];
}
