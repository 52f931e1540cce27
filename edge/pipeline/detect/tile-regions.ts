import type { Region } from '../../inference/resize.ts';

/** A grid of overlapping tiles over a picture. */
export interface TileGrid {
  readonly columns: number;
  readonly rows: number;
  /** Share of a tile's width (height) that it has in common with its neighbour, 0 to less than 1. */
  readonly overlap: number;
}

/** Equal tiles that cover a picture of this size exactly, row by row. */
export function tileRegions(width: number, height: number, { columns, rows, overlap }: TileGrid): Region[] {
  const tileWidth = width / (columns - (columns - 1) * overlap);
  const tileHeight = height / (rows - (rows - 1) * overlap);
  const regions: Region[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      regions.push({ x: column * tileWidth * (1 - overlap), y: row * tileHeight * (1 - overlap), width: tileWidth, height: tileHeight });
    }
  }
  return regions;
}
