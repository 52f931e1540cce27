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

/** For faces on camera: whatever can still be told apart. A vote of several shots makes up for a poor one. */
export const RECOGNITION_LIMITS: QualityLimits = { minSizePx: 40, minSharpness: 0.5, maxYaw: 50, maxPitch: 40, maxRoll: 50, maxCutOff: 0.15 };

/** For a face that others will be compared with for months: each fault costs every later match. */
export const ENROLMENT_LIMITS: QualityLimits = { minSizePx: 80, minSharpness: 1, maxYaw: 35, maxPitch: 30, maxRoll: 35, maxCutOff: 0.02 };
