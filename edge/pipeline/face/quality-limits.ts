/** What a face must reach to be recognised or enrolled. */
export interface QualityLimits {
  /** Shorter side of the face box in pixels of the frame. */
  readonly minSizePx: number;
  /** See `sharpness`. */
  readonly minSharpness: number;
  /** Degrees to either side, up or down, clockwise or counter-clockwise. */
  readonly maxYaw: number;
  readonly maxPitch: number;
  readonly maxRoll: number;
  /** Share of the face box outside the frame, 0..1. */
  readonly maxCutOff: number;
}

/**
 * For faces on camera: whatever can still be told apart. Measured on 21 faces at 45 to 120 px: the embedding of a face with
 * a sharpness of 0.25 has a cosine of 0.5 to 0.7 with that of the sharp face, at 0.1 it may be anybody's. A full profile
 * measures 59 degrees and more, a face that looks past the camera 41 at most.
 */
export const RECOGNITION_LIMITS: QualityLimits = {
  minSizePx: 36,
  minSharpness: 0.25,
  maxYaw: 45,
  maxPitch: 35,
  maxRoll: 60,
  maxCutOff: 0.15,
};

/**
 * For a picture that is compared once: what comes of it is a list with scores, which somebody looks at. A crop that ends at the
 * chin has all of the five points, though much of the detector's box lies outside.
 */
export const SEARCH_LIMITS: QualityLimits = { minSizePx: 32, minSharpness: 0.25, maxYaw: 50, maxPitch: 40, maxRoll: 60, maxCutOff: 0.55 };

/** For a face that others will be compared with for months: each fault costs every later match. */
export const ENROLMENT_LIMITS: QualityLimits = { minSizePx: 64, minSharpness: 1, maxYaw: 38, maxPitch: 30, maxRoll: 50, maxCutOff: 0.02 };
