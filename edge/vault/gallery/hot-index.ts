export interface Hit {
  readonly faceId: string;
  /** Cosine similarity, -1..1. */
  readonly score: number;
}

/**
 * Faces in memory, searchable by nearness. Vectors are L2-normalised float32, all of the index's one length.
 * Nothing of it may reach a disk.
 */
export interface HotIndex {
  /** @param faceId must not be in the index yet */
  add(faceId: string, embedding: Float32Array): void;
  /** A face that is not there is no error. */
  remove(faceId: string): void;
  /** The `k` most similar faces, best first; fewer when the index holds fewer. */
  search(embedding: Float32Array, k: number): Hit[];
  /** Cosine similarity with one face, -1..1; undefined for a face that is not there. */
  similarity(faceId: string, embedding: Float32Array): number | undefined;
  readonly size: number;
  /** Forgets every face and gives the memory back; the index cannot be used afterwards. */
  clear(): void;
}
