/**
 * Bounded queue between a producer that must never wait and a slower consumer:
 * when it is full the oldest item makes room and is handed to `onDropped`.
 */
export class LatestQueue<T> {
  readonly #capacity: number;
  readonly #onDropped: (item: T) => void;
  readonly #items: T[] = [];
  #waiting: ((item: T | undefined) => void) | undefined;
  #closed = false;

  constructor(capacity: number, onDropped: (item: T) => void) {
    this.#capacity = capacity;
    this.#onDropped = onDropped;
  }

  get size(): number {
    return this.#items.length;
  }

  /** What waits, oldest first. */
  get items(): readonly T[] {
    return this.#items;
  }

  /** Never blocks. On a closed queue the item itself is dropped. */
  push(item: T): void {
    if (this.#closed) {
      this.#onDropped(item);
      return;
    }
    if (this.#waiting !== undefined) {
      const resolve = this.#waiting;
      this.#waiting = undefined;
      resolve(item);
      return;
    }
    this.#items.push(item);
    if (this.#items.length > this.#capacity) this.#onDropped(this.#items.shift() as T);
  }

  /** The oldest item; waits for one. `undefined` once the queue is closed and empty. One consumer only. */
  async next(): Promise<T | undefined> {
    const item = this.#items.shift();
    if (item !== undefined || this.#closed) return item;
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  /** Nothing more comes in; what is there can still be taken. */
  close(): void {
    this.#closed = true;
    this.#waiting?.(undefined);
    this.#waiting = undefined;
  }
}
