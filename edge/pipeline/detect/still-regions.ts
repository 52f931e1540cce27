import type { Size } from '../../inference/fit-image.ts';
import type { Region } from '../../inference/resize.ts';
import { tileRegions } from './tile-regions.ts';

/** How much wider than the picture a region is in which a face that fills the picture is of a size that a detector knows. */
const MARGIN = 1.6;
const WIDE_MARGIN = 3;

/**
 * Where to look for faces in a still picture first: in the whole of it, brought to the shape of the model's input by going on
 * beyond its edges, since a face that is stretched is found less often and its box fits worse; and with room around it, for a
 * picture that a face fills.
 */
export function stillRegions(picture: Size, input: Size): Region[] {
  return [around(picture, input, 1), around(picture, input, MARGIN)];
}

/** Where to look when nothing was found: with much room around the picture, and closely for faces that are small in it. */
export function closerRegions(picture: Size, input: Size): Region[] {
  const tiles = [2, 3].flatMap((side) => tileRegions(picture.width, picture.height, { columns: side, rows: side, overlap: 0.25 }));
  return [around(picture, input, WIDE_MARGIN), ...tiles];
}

/** The smallest region of the input's shape that holds the picture in its middle, times `margin`. */
function around({ width, height }: Size, input: Size, margin: number): Region {
  const scale = Math.max(width / input.width, height / input.height) * margin;
  const region = { width: input.width * scale, height: input.height * scale };
  return { x: (width - region.width) / 2, y: (height - region.height) / 2, ...region };
}
