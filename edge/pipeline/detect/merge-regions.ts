import type { Region } from '../../inference/resize.ts';
import type { Box, Detection } from '../frame.ts';
import { suppressOverlaps } from './suppress-overlaps.ts';

/** A face of which more than this lies within a better one of another region is the same face. */
const SAME_FACE = 0.6;
/** A box that comes this close to a border, as a share of its own side, is taken to be cut by it. */
const BORDER_MARGIN = 0.05;

/**
 * One list of faces out of those of overlapping regions of a picture. A face cut by a border between regions is left
 * to the region that sees the whole of it; what several regions saw is kept once, with its best score.
 *
 * @param found the faces of each region, in pixels of the picture
 */
export function mergeRegions(
  regions: readonly Region[],
  found: readonly (readonly Detection[])[],
  picture: { readonly width: number; readonly height: number },
): Detection[] {
  const whole = regions.flatMap((region, index) => (found[index] ?? []).filter(({ box }) => !isCut(box, region, picture)));
  return suppressOverlaps(whole, SAME_FACE, containment);
}

/** Whether a box reaches a border of its region that is not the picture's own edge. */
function isCut(box: Box, region: Region, picture: { readonly width: number; readonly height: number }): boolean {
  const across = box.width * BORDER_MARGIN;
  const down = box.height * BORDER_MARGIN;
  // Corners of regions are sums of fractions: half a pixel tells an inner border from the edge.
  const inner = (border: number, edge: number): boolean => Math.abs(border - edge) > 0.5;
  return (
    (inner(region.x, 0) && box.x < region.x + across) ||
    (inner(region.y, 0) && box.y < region.y + down) ||
    (inner(region.x + region.width, picture.width) && box.x + box.width > region.x + region.width - across) ||
    (inner(region.y + region.height, picture.height) && box.y + box.height > region.y + region.height - down)
  );
}

/** Share of the smaller box that lies within the other. */
function containment(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return width > 0 && height > 0 ? (width * height) / Math.min(a.width * a.height, b.width * b.height) : 0;
}
