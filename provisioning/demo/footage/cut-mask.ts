import { PHOTO_FACES, type PhotoFace } from './faces.ts';

/** Part of a photograph around one face, in units of the face's box. */
const REACH = { side: 1.3, up: 1.05, down: 1.7 };

/** The rectangle of a photograph that shows head and shoulders of a face, whole pixels inside the photograph. */
export function headAndShoulders(
  face: PhotoFace,
  photo: { width: number; height: number },
): { left: number; top: number; width: number; height: number } {
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
 * both with a soft edge, so that the person stands before another background, without the faces of the neighbours.
 */
export function cutMask(face: PhotoFace, photo: { width: number; height: number }, x: number, y: number): number {
  const own = within(face, x, y);
  const head = softEllipse(own.u / 0.86, (own.v + 0.1) / 0.86);
  const shoulders = softEllipse(own.u / 1.15, (own.v - 1.35) / 0.85);
  let opacity = Math.max(head, shoulders);
  for (const other of PHOTO_FACES) {
    if (other.photo !== face.photo || other === face) continue;
    const { u, v } = within(other, x, y);
    opacity *= 1 - softEllipse(u / 0.85, v / 0.85);
  }
  // Fades out towards the belt and towards the edges of the photograph.
  const belt = Math.min(1, Math.max(0, (1.6 - own.v) / 0.5));
  const edge = Math.min(x, y, photo.width - x, photo.height - y) / (0.15 * face.box.height);
  return opacity * belt * Math.min(1, Math.max(0, edge));
}

/** A point relative to a face: the box's centre is 0, its sides are at -0.5 and 0.5. */
function within({ box }: PhotoFace, x: number, y: number): { u: number; v: number } {
  return { u: (x - box.x) / box.width - 0.5, v: (y - box.y) / box.height - 0.5 };
}

/** 1 inside the unit circle but for its soft edge, 0 outside. */
function softEllipse(u: number, v: number): number {
  const t = Math.min(1, Math.max(0, (1 - Math.hypot(u, v)) / 0.16));
  return t * t * (3 - 2 * t);
}
