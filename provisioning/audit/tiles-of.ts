import { appendToTiles, type ReadTile } from '../../shared/crypto/merkle/tiles.ts';

/** The tiles of the tree of some leaves, none of which is taken from anybody. @param leaves their hashes */
export async function tilesOf(leaves: readonly Buffer[]): Promise<ReadTile> {
  const tiles = new Map<string, Buffer>();
  const read: ReadTile = async ({ level, number }) => tiles.get(`${level}/${number}`) ?? Buffer.alloc(0);
  for (const { level, number, hashes } of await appendToTiles(read, 0, leaves)) tiles.set(`${level}/${number}`, hashes);
  return read;
}
