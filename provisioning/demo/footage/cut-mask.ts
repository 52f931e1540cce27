import type { PhotoFace } from './faces.ts';

/** Part of a photograph around one face, in units of the face's box. */
const REACH = { side: 1.3, up: 1.05, down: 1.7 };

/** The rectangle of a photograph that shows head and shoulders of a face, whole pixels inside the photograph. */
export function headAndShoulders(face: PhotoFace, photo: { width: number; height: number }): { left: number; top: number; width: number; height: number } {
  const { x, y, width, height } = face.box;
  const centre = { x: x + width / 2, y: y + height / 2 };
  const left = Math.max(0, Math.round(centre.x - REACH.side * width));
  const top = Math.max(0, Math.round(centre.y - REACH.up * height));
  const right = Math.min(photo.width, Math.round(centre.x + REACH.side * width));
  const bottom = Math.min(photo.height, Math.round(centre.y + REACH.down * height));
  return { left, top, width: right - left, height: bottom - top };
}

/**
 * How much of a photograph's point belongs to the person, 0..1: an ellipse of head and hair and one of the shoulders,
 * both with a soft edge, so that the person stands before another background and no neighbour comes along.
 */
export function cutMask(face: PhotoFace, x: number, y: number): number {
  const { box } = face;
  const u = (x - (box.x + box.width / 2)) / box.width;
  const v = (y - (box.y + box.height / 2)) / box.height;
  const head = softEllipse(u / 0.86, (v + 0.1) / 0.86);
  const shoulders = softEllipse(u / 1.15, (v - 1.35) / 0.85);
  // Fades out towards the belt, whatever the photograph shows there.
  const belt = Math.min(1, Math.max(0, (1.6 - v) / 0.5));
  return Math.max(head, shoulders) * belt;
}

function softEllipse(u: number, v: number): number {
  const radius = Math.hypot(u, v);
  const t = Math.min(1, Math.max(0, (1 - radius) / 0.16));
  return t * t * (3 - 2 * t);
}
