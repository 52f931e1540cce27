import type { Box, Detection } from '../frame.ts';
import { assign } from './assign.ts';
import { NOBODY, Track } from './track.ts';

/** A confirmed track as it stands after a frame. */
export interface TrackView {
  /** Counts the confirmed tracks of one camera, from 1. */
  readonly id: number;
  /** The detection's box; while the face is out of sight where it should be; of an ended track where it was last seen. */
  readonly box: Box;
  /** Place in the list of detections; null while the face is out of sight, or where it might be that of another track. */
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
/** How much better (twice the logarithm of the likelihood ratio) a match must be than giving the face to another track. */
const CERTAIN = 4;
/** How long a track that is not confirmed yet may be out of sight. */
const UNCONFIRMED_GAP_MS = 500;

/** The detection that a track was given, and whether it can hardly be that of another track. */
interface Match {
  readonly index: number;
  readonly certain: boolean;
}

/**
 * Follows the faces of one camera from frame to frame by where they should be (constant velocity) and how much they
 * overlap it. All tracks and detections of a frame are matched at once, at the least total cost, so that people who
 * cross keep their tracks; while nobody could tell whose a face is, no track claims it. Looks at nobody's face; the same input always gives the same tracks.
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
    const taken = new Set([...matched.values()].map(({ index }) => index));
    const ended: TrackView[] = [];
    this.#tracks = this.#tracks.filter((track) => {
      const match = matched.get(track);
      if (match) {
        track.see((detections[match.index] as Detection).box, mediaMs);
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
      matched.set(track, { index, certain: true });
    });
    for (const track of this.#tracks) {
      if (track.id === null && track.hits >= this.#options.confirmHits) track.id = ++this.#confirmed;
    }
    const tracks = this.#tracks.flatMap((track) => {
      const match = matched.get(track);
      return viewOf(track, match ? track.box : track.expectedBox(mediaMs), match?.certain ? match.index : null);
    });
    return { tracks: tracks.sort((a, b) => a.id - b.id), ended };
  }

  /** Nobody is followed, not even a face that may be the detector's mistake. */
  get idle(): boolean {
    return this.#tracks.length === 0;
  }

  /** A face was seen in the frame before the last one, and not in the last one. */
  get justLost(): boolean {
    return this.#tracks.some(({ missed }) => missed === 1);
  }

  /** Where faces should be at this time, also those that are out of sight and those that may be the detector's mistake. */
  expected(mediaMs: number): { readonly box: Box; readonly seen: boolean }[] {
    return this.#tracks.map((track) => ({ box: track.expectedBox(mediaMs), seen: track.missed === 0 }));
  }

  /** There is a face that the next frame may confirm. */
  get unconfirmed(): boolean {
    return this.#tracks.some(({ id }) => id === null);
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

  #match(detections: readonly Detection[], mediaMs: number): Map<Track, Match> {
    // A stream may be sampled more slowly than the gap is long: the very next frame always counts.
    const open = this.#tracks.filter((track) => track.missed === 0 || mediaMs - track.lastSeenMs <= this.#gapOf(track));
    // Less than 0: better than two strangers. A pair that costs as much as two strangers is none.
    const costs = open.map((track) => detections.map(({ box }) => track.cost(box, mediaMs) - NOBODY));
    const columns = assign(costs).map((index, row) => ((costs[row]?.[index] ?? 0) < 0 ? index : -1));
    const matched = new Map<Track, Match>();
    columns.forEach((index, row) => {
      if (index < 0) return;
      const rivals = open.flatMap((track, rival) => (rival !== row && track.id !== null ? rival : []));
      const certain = rivals.every((rival) => costOfSwap(costs, columns, row, rival) >= CERTAIN);
      matched.set(open[row] as Track, { index, certain });
    });
    return matched;
  }
}

/** What it would cost to give a track's detection to a rival, and the rival's, if it has one, to the track. */
function costOfSwap(costs: readonly (readonly number[])[], columns: readonly number[], row: number, rival: number): number {
  const mine = columns[row] as number;
  const other = columns[rival] as number;
  const given = costs[rival]?.[mine] as number;
  const got = other < 0 ? 0 : (costs[row]?.[other] as number);
  if (given >= 0 || (other >= 0 && got >= 0)) return Number.POSITIVE_INFINITY;
  return given + got - (costs[row]?.[mine] as number) - (other < 0 ? 0 : (costs[rival]?.[other] as number));
}

/** Empty for a track that is not confirmed: it may be a detector's mistake. */
function viewOf({ id, startedMs, lastSeenMs }: Track, box: Box, detectionIndex: number | null): TrackView[] {
  return id === null ? [] : [{ id, box, detectionIndex, startedMs, lastSeenMs }];
}
