/** Noise that the filter reckons with, in units of the tracked thing's size. */
export interface MotionNoise {
  /** Standard deviation of a measured place. */
  readonly place: number;
  /** Standard deviation of the speed of something just seen for the first time, per second. */
  readonly speed: number;
  /** Standard deviation of the acceleration, per second squared. */
  readonly acceleration: number;
}

/** A place along one axis, with its variance. */
export interface Estimate {
  readonly value: number;
  readonly variance: number;
}

/**
 * Kalman filter of one coordinate of something that keeps its speed but for random pushes (piecewise white acceleration,
 * Bar-Shalom, Li and Kirubarajan 2001, section 6.3.2). Steps may be of any length, so dropped frames do no harm.
 */
export class ConstantVelocity {
  readonly #noise: MotionNoise;
  #place: number;
  #speed = 0;
  /** Covariance: place, place with speed, speed. */
  #pp: number;
  #ps = 0;
  #ss: number;

  constructor(place: number, size: number, noise: MotionNoise) {
    this.#noise = noise;
    this.#place = place;
    this.#pp = (noise.place * size) ** 2;
    this.#ss = (noise.speed * size) ** 2;
  }

  /** Where it should be measured `seconds` after the last correction, with the variance of that measurement. */
  predict(seconds: number, size: number): Estimate {
    const push = (this.#noise.acceleration * size) ** 2;
    const variance = this.#pp + 2 * seconds * this.#ps + seconds ** 2 * this.#ss + (seconds ** 4 / 4) * push;
    return { value: this.#place + this.#speed * seconds, variance: variance + (this.#noise.place * size) ** 2 };
  }

  /** Takes in a measurement made `seconds` after the last one. */
  correct(measured: number, seconds: number, size: number): void {
    const push = (this.#noise.acceleration * size) ** 2;
    const expected = this.predict(seconds, size);
    const pp = expected.variance - (this.#noise.place * size) ** 2;
    const ps = this.#ps + seconds * this.#ss + (seconds ** 3 / 2) * push;
    const ss = this.#ss + seconds ** 2 * push;
    const surprise = measured - expected.value;
    this.#place = expected.value + (pp / expected.variance) * surprise;
    this.#speed += (ps / expected.variance) * surprise;
    this.#pp = pp * (1 - pp / expected.variance);
    this.#ps = ps * (1 - pp / expected.variance);
    this.#ss = ss - (ps * ps) / expected.variance;
  }
}
