import type { Sighting } from '../../../shared/messages/events.ts';
import { type FaceBox, faceBoxAt } from '../footage/face-box-at.ts';
import { APPEARANCES, type Appearance } from '../footage/script.ts';

const MIN_OVERLAP = 0.3;

/**
 * The scripted appearance that a sighting shows: at the time of its best shot somebody's face was where it says,
 * with an intersection over union of at least 0.3. Of two, the one that overlaps more.
 */
export function matchAppearance(sighting: Sighting): Appearance | undefined {
  const ms = sighting.media.bestShotMs ?? sighting.media.endMs;
  let best: { appearance: Appearance; overlap: number } | undefined;
  for (const appearance of APPEARANCES) {
    if (appearance.camera !== sighting.camera) continue;
    const box = faceBoxAt(appearance, ms);
    if (box === undefined) continue;
    const overlap = intersectionOverUnion(box, sighting.box);
    if (overlap >= MIN_OVERLAP && overlap > (best?.overlap ?? 0)) best = { appearance, overlap };
  }
  return best?.appearance;
}

/** Of two boxes, 0..1. Not the pipeline's own: what judges the product does not rest on it. */
function intersectionOverUnion(a: FaceBox, b: FaceBox): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  const overlap = width * height;
  return overlap / (a.width * a.height + b.width * b.height - overlap);
}
