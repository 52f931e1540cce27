import type { FivePoints, Point } from '../frame.ts';

export interface HeadPose {
  /** Degrees; positive: turned to the right of the picture. */
  readonly yaw: number;
  /** Degrees; positive: looking down. */
  readonly pitch: number;
  /** Degrees; positive: tilted clockwise in the picture. */
  readonly roll: number;
}

/** Distance between the eyes over the height of the nose tip above the plane of eyes and mouth. */
const EYES_TO_NOSE_DEPTH = 2;
/** Distance from the eyes' line to the mouth's, over the same height. */
const FACE_TO_NOSE_DEPTH = 2.3;
/** How far down from the eyes' line to the mouth's the nose tip lies on a face seen from the front. */
const NOSE_LEVEL = 0.53;

/**
 * Head pose from five points, for a camera far away compared with the head. Turning moves the nose tip sideways by
 * depth * sin(yaw) and narrows the eyes' distance to width * cos(yaw), so their ratio gives tan(yaw) whatever the
 * scale; the same holds down the face for pitch. Good to about ten degrees, which is enough to turn away profiles.
 */
export function headPose([eyeLeft, eyeRight, nose, mouthLeft, mouthRight]: FivePoints): HeadPose {
  const eyes = middle(eyeLeft, eyeRight);
  const mouth = middle(mouthLeft, mouthRight);
  const across = unit({ x: eyeRight.x - eyeLeft.x + mouthRight.x - mouthLeft.x, y: eyeRight.y - eyeLeft.y + mouthRight.y - mouthLeft.y });
  const along = (from: Point, to: Point): number => (to.x - from.x) * across.x + (to.y - from.y) * across.y;
  const below = (from: Point, to: Point): number => (to.y - from.y) * across.x - (to.x - from.x) * across.y;
  const height = below(eyes, mouth);
  const level = below(eyes, nose) / height;
  // The face's middle line need not stand square on the eyes' line: the nose is compared with the line at its level.
  const sideways = along(eyes, nose) - level * along(eyes, mouth);
  const width = along(eyeLeft, eyeRight);
  return {
    yaw: degrees(Math.atan2(sideways * EYES_TO_NOSE_DEPTH, width)),
    pitch: degrees(Math.atan((level - NOSE_LEVEL) * FACE_TO_NOSE_DEPTH)),
    roll: degrees(Math.atan2(across.y, across.x)),
  };
}

function middle(a: Point, b: Point): Point {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}

function unit({ x, y }: Point): Point {
  const length = Math.hypot(x, y);
  return { x: x / length, y: y / length };
}

function degrees(radians: number): number {
  return (radians * 180) / Math.PI;
}
