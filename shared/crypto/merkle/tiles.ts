import { hashNode } from './hashes.ts';
import type { ReadNode } from './range-root.ts';

/** Hashes in a full tile, and how many levels of the tree one spans (C2SP tlog-tiles). */
export const TILE_WIDTH = 256;
const TILE_LEVELS = 8;
const HASH_BYTES = 32;

/** Its place: tiles of `level` 0 hold the hashes of leaves, those of level n the hashes of full tiles of level n - 1. */
export interface TilePlace {
  readonly level: number;
  readonly number: number;
}

/** Gives the hashes of a tile one after the other: fewer than {@link TILE_WIDTH} where it is the last of its level. */
export type ReadTile = (place: TilePlace) => Promise<Buffer>;

export interface Tile extends TilePlace {
  readonly hashes: Buffer;
}

/** The nodes of a tree that is kept in tiles; each tile is read once. */
export function nodesOfTiles(readTile: ReadTile): ReadNode {
  const tiles = new Map<string, Promise<Buffer>>();
  return async (level, index) => {
    const tileLevel = Math.floor(level / TILE_LEVELS);
    const width = 2 ** (level % TILE_LEVELS);
    const first = index * width;
    const place = { level: tileLevel, number: Math.floor(first / TILE_WIDTH) };
    const name = `${place.level}/${place.number}`;
    const tile = tiles.get(name) ?? readTile(place);
    tiles.set(name, tile);
    const offset = first % TILE_WIDTH;
    return rootOf((await tile).subarray(offset * HASH_BYTES, (offset + width) * HASH_BYTES), width);
  };
}

/**
 * Adds leaves to a tree that is kept in tiles.
 * @param size of the tree before
 * @param leaves their hashes
 * @returns the tiles that are new or longer than before; of all that was there, only the last of each level was read
 */
export async function appendToTiles(readTile: ReadTile, size: number, leaves: readonly Buffer[]): Promise<Tile[]> {
  const changed: Tile[] = [];
  let [start, added] = [size, leaves];
  for (let level = 0; added.length > 0; level++) {
    const full: Buffer[] = [];
    let rest = added;
    for (let number = Math.floor(start / TILE_WIDTH), filled = start % TILE_WIDTH; rest.length > 0; number++, filled = 0) {
      const before = filled === 0 ? [] : [(await readTile({ level, number })).subarray(0, filled * HASH_BYTES)];
      const own = rest.slice(0, TILE_WIDTH - filled);
      const hashes = Buffer.concat([...before, ...own]);
      changed.push({ level, number, hashes });
      if (filled + own.length === TILE_WIDTH) full.push(rootOf(hashes, TILE_WIDTH));
      rest = rest.slice(own.length);
    }
    [start, added] = [Math.floor(start / TILE_WIDTH), full];
  }
  return changed;
}

/** @param width a power of two */
function rootOf(hashes: Buffer, width: number): Buffer {
  if (hashes.length !== width * HASH_BYTES) throw new RangeError('the tile does not hold these hashes');
  if (width === 1) return hashes;
  const middle = hashes.length / 2;
  return hashNode(rootOf(hashes.subarray(0, middle), width / 2), rootOf(hashes.subarray(middle), width / 2));
}
