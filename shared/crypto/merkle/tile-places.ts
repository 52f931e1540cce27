import { TILE_WIDTH, type TilePlace } from './tiles.ts';

/** A tile, and how many of its hashes are meant: those of a tile that is not full grow with the tree. */
export interface TileEdge extends TilePlace {
  readonly width: number;
}

/** The tiles of a tree that are full, on every level: they never change again. @param from leaves of an earlier tree whose tiles are left out */
export function fullTiles(from: number, size: number): TileEdge[] {
  const tiles: TileEdge[] = [];
  for (let level = 0, span = TILE_WIDTH; span <= size; level++, span *= TILE_WIDTH) {
    for (let number = Math.floor(from / span); number < Math.floor(size / span); number++) tiles.push({ level, number, width: TILE_WIDTH });
  }
  return tiles;
}

/** The last tile of each level of a tree, where it is not full. */
export function edgeTiles(size: number): TileEdge[] {
  const tiles: TileEdge[] = [];
  for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / TILE_WIDTH)) {
    const width = count % TILE_WIDTH;
    if (width > 0) tiles.push({ level, number: Math.floor(count / TILE_WIDTH), width });
  }
  return tiles;
}
