import { type Box, iou } from '../frame.ts';
import { ConstantVelocity, type MotionNoise } from './constant-velocity.ts';

/** Sizes are geometric means of width and height; a face is about 0.2 m, a walker makes 1.5 m/s. */
const MOTION: MotionNoise = { place: 0.08, speed: 5, acceleration: 4 };
/** Standard deviation of the logarithm of a measured size. */
const SIZE_NOISE = 0.2;
/** No face jumps further than this from where it is expected, in its sizes, however uncertain the expectation. */
const REACH = 2.5;
/** How fast the remembered width and height follow the measured ones. */
const SIZE_GAIN = 0.5;
/** Worth of a full overlap of expected and seen box, in the unit of the cost. */
const OVERLAP_WORTH = 2;
/** What not knowing where it is may cost: less than NOBODY, or a stream sampled every few seconds would have no tracks. */
const MAX_UNCERTAINTY = 10;
/** Cost above which a detection is rather somebody new: about four standard deviations for a well-known track. */
export const NOBODY = 16;

/** One face followed through the frames of one camera. */
export class Track {
  readonly startedMs: number;
  /** Number given when the track is confirmed. */
  id: number | null = null;
  hits = 1;
  /** Updates since the face was last seen. */
  missed = 0;
  lastSeenMs: number;
  /** As last measured. */
  box: Box;
  #width: number;
  #height: number;
  readonly #x: ConstantVelocity;
  readonly #y: ConstantVelocity;

  constructor(box: Box, mediaMs: number) {
    this.startedMs = mediaMs;
    this.lastSeenMs = mediaMs;
    this.box = box;
    this.#width = box.width;
    this.#height = box.height;
    this.#x = new ConstantVelocity(box.x + box.width / 2, this.#size, MOTION);
    this.#y = new ConstantVelocity(box.y + box.height / 2, this.#size, MOTION);
  }

  get #size(): number {
    return Math.sqrt(this.#width * this.#height);
  }

  /** Where the face should be at this time. */
  expectedBox(mediaMs: number): Box {
    const seconds = this.#secondsUntil(mediaMs);
    const x = this.#x.predict(seconds, this.#size).value;
    const y = this.#y.predict(seconds, this.#size).value;
    return { x: x - this.#width / 2, y: y - this.#height / 2, width: this.#width, height: this.#height };
  }

  /**
   * How ill a box fits this track at this time; NOBODY and above: not at all. Twice the negative logarithm of the
   * likelihood of place and size, up to a constant, so that of two tracks the one that knows better where it is wins;
   * less the overlap with the expected box.
   */
  cost(box: Box, mediaMs: number): number {
    const seconds = this.#secondsUntil(mediaMs);
    const size = this.#size;
    const x = this.#x.predict(seconds, size);
    const y = this.#y.predict(seconds, size);
    const dx = box.x + box.width / 2 - x.value;
    const dy = box.y + box.height / 2 - y.value;
    if (Math.hypot(dx, dy) > REACH * size) return NOBODY;
    const growth = Math.log(Math.sqrt(box.width * box.height) / size) / SIZE_NOISE;
    const uncertainty = Math.min(MAX_UNCERTAINTY, Math.log((x.variance * y.variance) / (MOTION.place * size) ** 4));
    const overlap = iou(this.expectedBox(mediaMs), box);
    const cost = dx ** 2 / x.variance + dy ** 2 / y.variance + growth ** 2 + uncertainty - OVERLAP_WORTH * overlap;
    return Math.min(NOBODY, cost);
  }

  /** The face was seen here. */
  see(box: Box, mediaMs: number): void {
    const seconds = this.#secondsUntil(mediaMs);
    this.#x.correct(box.x + box.width / 2, seconds, this.#size);
    this.#y.correct(box.y + box.height / 2, seconds, this.#size);
    this.#width += SIZE_GAIN * (box.width - this.#width);
    this.#height += SIZE_GAIN * (box.height - this.#height);
    this.box = box;
    this.lastSeenMs = mediaMs;
    this.hits += 1;
    this.missed = 0;
  }

  /** A camera whose clock steps back must not run the filter backwards. */
  #secondsUntil(mediaMs: number): number {
    return Math.max(0, mediaMs - this.lastSeenMs) / 1000;
  }
}
