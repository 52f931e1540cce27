import type { RgbImage } from '../inference/image.ts';

/** What is wanted of a picture. The detector looks at the reduced one; it takes the whole to recognise a face, or to show the picture. */
export type WantedPixels = 'nothing' | 'reduced' | 'whole';

/**
 * One decoded, sampled picture of one camera. It carries its tenant wherever it goes. `data` is empty where nobody wanted the
 * whole, and `reduced` is missing too where nobody wanted anything.
 */
export interface Frame extends RgbImage {
  readonly tenant: string;
  readonly camera: string;
  /** Counts the sampled frames of one connection to the camera, from 0. */
  readonly sequence: number;
  /** Presentation time in the stream, milliseconds since its first picture. */
  readonly mediaMs: number;
  /** Wall-clock time of arrival, milliseconds since the Unix epoch. */
  readonly arrivedAt: number;
  /** Monotonic time of arrival, milliseconds; for latencies. */
  readonly arrivedMonotonic: number;
  /** Gives the pixels back to the camera's pool. Must be called exactly once; the pixels are invalid afterwards. */
  release(): void;
}

/** Rectangle in pixels of the frame: left, top, width, height. May reach over the frame's edge. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Eye left in the picture, eye right in the picture, nose tip, mouth corner left, mouth corner right (ArcFace order). */
export type FivePoints = readonly [Point, Point, Point, Point, Point];

/** A face that a detector saw. `points` only where the detector finds them itself (SCRFD). */
export interface Detection {
  readonly box: Box;
  /** Detector's confidence, 0..1. */
  readonly score: number;
  readonly points?: FivePoints;
}

/** A track on a frame, with what is known of the person by then. */
export interface SeenTrack {
  /** Number of the track on its camera. */
  readonly track: number;
  readonly box: Box;
  readonly outcome: 'person' | 'unknown' | 'undecided';
  readonly customerId: string | null;
}

/** Intersection over union of two boxes, 0..1. */
export function iou(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  const overlap = width * height;
  return overlap / (a.width * a.height + b.width * b.height - overlap);
}

/** Why a face is not good enough to be recognised or enrolled. Every rejection is counted under its reason. */
export const REJECTION_REASONS = ['too_small', 'blurred', 'yaw', 'pitch', 'roll', 'cut_off', 'no_landmarks'] as const;
export type RejectionReason = (typeof REJECTION_REASONS)[number];

export interface FaceQuality {
  /** Shorter side of the face box in pixels of the frame. */
  readonly sizePx: number;
  /** Sharpness of the aligned face (variance of the Laplacian, normalised); higher is sharper. */
  readonly sharpness: number;
  /** Head pose estimated from the landmarks, degrees. 0 is frontal. */
  readonly yaw: number;
  readonly pitch: number;
  readonly roll: number;
  /** Share of the face box that lies outside the frame, 0..1. */
  readonly cutOff: number;
  /** One figure to rank shots of the same person by, 0..1. */
  readonly overall: number;
}

/** A face after landmarks, alignment and quality. Rejected faces carry their reasons and are never embedded. */
export interface FaceShot {
  readonly box: Box;
  readonly points: FivePoints;
  readonly quality: FaceQuality;
  readonly rejections: readonly RejectionReason[];
  /** Face aligned to the ArcFace template, 112x112 RGB. */
  readonly aligned: RgbImage;
}

/** What the tenant's gallery answered for one shot: the customers whose faces come closest, in any order. */
export type Ballot = readonly {
  readonly customerId: string;
  /** Cosine similarity, -1..1. */
  readonly score: number;
}[];

/** Who a track shows, as the votes of its shots so far say. */
export type Verdict =
  | { readonly outcome: 'person'; readonly customerId: string; readonly score: number; readonly votes: number }
  | { readonly outcome: 'unknown'; readonly customerId: null; readonly score: number | null; readonly votes: number };
