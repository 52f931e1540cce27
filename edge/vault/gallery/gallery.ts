import type { Hit, HotIndex } from './hot-index.ts';

/** A customer who looks like the searched face: his most similar face. */
export interface Candidate {
  readonly customerId: string;
  readonly faceId: string;
  /** Cosine similarity, -1..1. */
  readonly score: number;
}

export interface GalleryFace {
  readonly faceId: string;
  readonly model: string;
  readonly embedding: Float32Array;
}

interface Person {
  readonly expiresAt: number;
  readonly faces: { faceId: string; model: string }[];
}

/**
 * The faces of one tenant that may be recognised now. Each embedder has an index of its own, so faces of different
 * models never compare. A customer whose consent has run out leaves the gallery, not only the answers.
 */
export class Gallery {
  readonly #createIndex: () => HotIndex;
  readonly #indexes = new Map<string, HotIndex>();
  readonly #people = new Map<string, Person>();
  readonly #owners = new Map<string, string>();
  #nextExpiry = Number.POSITIVE_INFINITY;
  /** Customers who are left out because their consent has run out, and when it did. */
  readonly #expired = new Map<string, number>();
  #lastExpiry = Number.NEGATIVE_INFINITY;

  constructor(createIndex: () => HotIndex) {
    this.#createIndex = createIndex;
  }

  /** Faces that can be candidates. */
  get size(): number {
    return this.#owners.size;
  }

  /** @param expiresAt when the customer's consent ends, milliseconds since the Unix epoch */
  admit(customerId: string, expiresAt: number, faces: Iterable<GalleryFace>): void {
    this.#expired.delete(customerId);
    const person: Person = { expiresAt, faces: this.#people.get(customerId)?.faces ?? [] };
    this.#people.set(customerId, person);
    this.#nextExpiry = Math.min(this.#nextExpiry, expiresAt);
    for (const { faceId, model, embedding } of faces) {
      this.#indexOf(model).add(faceId, embedding);
      this.#owners.set(faceId, customerId);
      person.faces.push({ faceId, model });
    }
  }

  remove(customerId: string): void {
    for (const { faceId, model } of this.#people.get(customerId)?.faces ?? []) {
      this.#indexes.get(model)?.remove(faceId);
      this.#owners.delete(faceId);
    }
    this.#people.delete(customerId);
    this.#expired.delete(customerId);
  }

  /** Leaves a customer out whose consent has run out. */
  leaveOut(customerId: string, expiresAt: number): void {
    this.remove(customerId);
    this.#expired.set(customerId, expiresAt);
    this.#lastExpiry = Math.max(this.#lastExpiry, expiresAt);
  }

  /**
   * Who was left out and may come back, since a clock that ran ahead was put right. Each is told once.
   * @param now milliseconds since the Unix epoch
   */
  takeReturning(now: number): string[] {
    if (now >= this.#lastExpiry) return [];
    const returning: string[] = [];
    this.#lastExpiry = Number.NEGATIVE_INFINITY;
    for (const [customerId, expiresAt] of this.#expired) {
      if (now < expiresAt) returning.push(customerId);
      else this.#lastExpiry = Math.max(this.#lastExpiry, expiresAt);
    }
    for (const customerId of returning) this.#expired.delete(customerId);
    return returning;
  }

  /** Removes one face; one that is not there is no error. */
  removeFace(customerId: string, faceId: string): void {
    const person = this.#people.get(customerId);
    const face = person?.faces.find((one) => one.faceId === faceId);
    if (!person || !face) return;
    this.#indexes.get(face.model)?.remove(faceId);
    this.#owners.delete(faceId);
    person.faces.splice(person.faces.indexOf(face), 1);
  }

  /**
   * The `limit` most similar customers, best first, each once.
   * @param now milliseconds since the Unix epoch; decides whose consent still holds
   */
  search(model: string, embedding: Float32Array, limit: number, now: number): Candidate[] {
    this.#removeExpired(now);
    const index = this.#indexes.get(model);
    if (!index) return [];
    // Several faces of one customer can crowd out the next: ask for more until there are enough customers or no more faces.
    for (let k = limit * 4; ; k *= 4) {
      const hits = index.search(embedding, k);
      const best = this.#bestOfEach(hits);
      if (best.length >= limit || hits.length < k) return best.slice(0, limit);
    }
  }

  /**
   * How similar the most similar of one customer's own faces is, -1..1, whoever else looks more alike.
   * @param now milliseconds since the Unix epoch; decides whether his consent still holds
   * @returns undefined when none of his faces of this model may be compared
   */
  similarity(customerId: string, model: string, embedding: Float32Array, now: number): number | undefined {
    this.#removeExpired(now);
    const index = this.#indexes.get(model);
    const own = this.#people.get(customerId)?.faces ?? [];
    const scores = own.map(({ faceId }) => index?.similarity(faceId, embedding)).filter((score) => score !== undefined);
    return scores.length === 0 ? undefined : Math.max(...scores);
  }

  clear(): void {
    for (const index of this.#indexes.values()) index.clear();
    this.#indexes.clear();
    this.#people.clear();
    this.#owners.clear();
    this.#expired.clear();
  }

  #bestOfEach(hits: readonly Hit[]): Candidate[] {
    const best = new Map<string, Candidate>();
    for (const { faceId, score } of hits) {
      const customerId = this.#owners.get(faceId);
      if (customerId !== undefined && !best.has(customerId)) best.set(customerId, { customerId, faceId, score });
    }
    return [...best.values()];
  }

  #removeExpired(now: number): void {
    if (now < this.#nextExpiry) return;
    this.#nextExpiry = Number.POSITIVE_INFINITY;
    for (const [customerId, { expiresAt }] of this.#people) {
      if (now >= expiresAt) this.leaveOut(customerId, expiresAt);
      else this.#nextExpiry = Math.min(this.#nextExpiry, expiresAt);
    }
  }

  #indexOf(model: string): HotIndex {
    let index = this.#indexes.get(model);
    if (!index) {
      index = this.#createIndex();
      this.#indexes.set(model, index);
    }
    return index;
  }
}
