import type { Kysely } from 'kysely';
import type { ReadTile, Tile } from '../../shared/crypto/merkle/tiles.ts';
import type { Database } from '../store/database.ts';

/** Characters of a hash: one for itself, so that a tile that is added to begins as it did before. */
const HASH = /.{43}/g;
const HASH_BYTES = 32;

/** The tiles of the log as they are stored; nothing where there is none. */
export function storedTiles(db: Kysely<Database>): ReadTile {
  return async ({ level, number }) => {
    const row = await db
      .selectFrom('log_tiles')
      .select('hashes')
      .where('level', '=', level)
      .where('number', '=', number)
      .executeTakeFirst();
    return Buffer.concat((row?.hashes.match(HASH) ?? []).map((hash) => Buffer.from(hash, 'base64url')));
  };
}

export async function storeTile(db: Kysely<Database>, { level, number, hashes }: Tile): Promise<void> {
  const text = formatTile(hashes).join('');
  await db
    .insertInto('log_tiles')
    .values({ level, number, hashes: text })
    .onConflict((conflict) => conflict.columns(['level', 'number']).doUpdateSet({ hashes: text }))
    .execute();
}

/** The hashes of a tile, base64url. */
export function formatTile(hashes: Buffer): string[] {
  return Array.from({ length: hashes.length / HASH_BYTES }, (_, index) =>
    hashes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES).toString('base64url'),
  );
}
