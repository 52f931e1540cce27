import type { Kysely } from 'kysely';
import { proveConsistency } from '../../shared/crypto/merkle/prove-consistency.ts';
import { proveInclusion } from '../../shared/crypto/merkle/prove-inclusion.ts';
import { rangeRoot } from '../../shared/crypto/merkle/range-root.ts';
import { nodesOfTiles, type TilePlace } from '../../shared/crypto/merkle/tiles.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Database } from '../store/database.ts';
import { formatTile, storedTiles } from './stored-tiles.ts';

/** The tree of the log, as far as anybody may know it: hashes, which say nothing of what is in it. All of them are base64url. */
export class LogTree {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  async size(): Promise<number> {
    return (await this.#db.selectFrom('log').select('size').executeTakeFirstOrThrow()).size;
  }

  /** @throws {SecureGateError} `invalid_request`: the log has not so many leaves */
  async root(size: number): Promise<string> {
    await this.#require(size);
    return (await rangeRoot(this.#nodes(), 0, size)).toString('base64url');
  }

  /** @throws {SecureGateError} `invalid_request`: there is no such leaf in the first `size` */
  async inclusion(leaf: number, size: number): Promise<string[]> {
    await this.#require(size);
    if (leaf >= size) throw outside();
    return format(await proveInclusion(this.#nodes(), leaf, size));
  }

  /** @throws {SecureGateError} `invalid_request`: the log has not so many leaves, or fewer than before */
  async consistency(from: number, to: number): Promise<string[]> {
    await this.#require(to);
    if (from > to) throw outside();
    return from === 0 ? [] : format(await proveConsistency(this.#nodes(), from, to));
  }

  /** The hashes of a tile, fewer than 256 where it is the last one; none where there is no such tile. */
  async tile(place: TilePlace): Promise<string[]> {
    return formatTile(await storedTiles(this.#db)(place));
  }

  #nodes() {
    return nodesOfTiles(storedTiles(this.#db));
  }

  async #require(size: number): Promise<void> {
    if (size > (await this.size())) throw outside();
  }
}

function format(proof: readonly Buffer[]): string[] {
  return proof.map((hash) => hash.toString('base64url'));
}

function outside(): SecureGateError {
  return new SecureGateError('invalid_request', 'The audit log has no such place');
}
