import Database, { type Statement } from 'better-sqlite3';
import { load } from 'sqlite-vec';
import type { Hit, HotIndex } from './hot-index.ts';

/** sqlite-vec answers at most this many neighbours. */
const MAX_K = 4096;

/** An empty index of sqlite-vec in a database in memory: exhaustive search, exact, about 6 ms for 10 000 faces. */
export function createSqliteVecIndex(): HotIndex {
  const database = new Database(':memory:');
  // A sorter that spilled over would write embeddings to a file.
  database.pragma('temp_store = MEMORY');
  load(database);
  // 512 is EMBEDDING_LENGTH; SQL is never put together from parts.
  database.exec('CREATE VIRTUAL TABLE faces USING vec0(face_id TEXT PRIMARY KEY, embedding FLOAT[512] DISTANCE_METRIC=cosine)');
  return new SqliteVecIndex(database);
}

class SqliteVecIndex implements HotIndex {
  readonly #database: Database.Database;
  readonly #insert: Statement<[string, Float32Array], unknown>;
  readonly #delete: Statement<[string], unknown>;
  readonly #nearest: Statement<[Float32Array, number], { face_id: string; distance: number }>;
  readonly #distance: Statement<[Float32Array, string], { distance: number }>;
  #size = 0;

  constructor(database: Database.Database) {
    this.#database = database;
    this.#insert = database.prepare('INSERT INTO faces (face_id, embedding) VALUES (?, ?)');
    this.#delete = database.prepare('DELETE FROM faces WHERE face_id = ?');
    this.#nearest = database.prepare('SELECT face_id, distance FROM faces WHERE embedding MATCH ? AND k = ?');
    this.#distance = database.prepare('SELECT vec_distance_cosine(embedding, ?) AS distance FROM faces WHERE face_id = ?');
  }

  get size(): number {
    return this.#size;
  }

  add(faceId: string, embedding: Float32Array): void {
    this.#insert.run(faceId, embedding);
    this.#size += 1;
  }

  remove(faceId: string): void {
    this.#size -= this.#delete.run(faceId).changes;
  }

  search(embedding: Float32Array, k: number): Hit[] {
    return this.#nearest.all(embedding, Math.min(k, MAX_K)).map((row) => ({ faceId: row.face_id, score: 1 - row.distance }));
  }

  similarity(faceId: string, embedding: Float32Array): number | undefined {
    const row = this.#distance.get(embedding, faceId);
    return row && 1 - row.distance;
  }

  clear(): void {
    this.#database.close();
    this.#size = 0;
  }
}
