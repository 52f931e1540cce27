/**
 * The picture buffers of one camera. They are shared memory, so that inference threads read them without a copy, and they
 * never serve another camera; `close` overwrites them.
 */
export class FramePool {
  readonly #capacity: number;
  #bytes = 0;
  #free: Buffer[] = [];
  #all: Buffer[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** A buffer of exactly `bytes` bytes, or undefined when all are in use. Its contents are those of an older picture. */
  acquire(bytes: number): Buffer | undefined {
    if (bytes !== this.#bytes) {
      this.close();
      this.#bytes = bytes;
    }
    const free = this.#free.pop();
    if (free !== undefined || this.#all.length >= this.#capacity) return free;
    const buffer = Buffer.from(new SharedArrayBuffer(bytes));
    this.#all.push(buffer);
    return buffer;
  }

  release(buffer: Buffer): void {
    if (this.#all.includes(buffer)) this.#free.push(buffer);
    else buffer.fill(0);
  }

  /** Overwrites what is free and forgets all; buffers still in use are overwritten when they come back. */
  close(): void {
    for (const buffer of this.#free) buffer.fill(0);
    this.#free = [];
    this.#all = [];
    this.#bytes = 0;
  }
}
