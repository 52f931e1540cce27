/** Shortest pattern: its first bytes are its key in the table. */
const KEY_BYTES = 4;
const FILTER_BITS = 22;

/**
 * Looks for many byte patterns at once, at every position: a bit table of the patterns' first four bytes turns nearly
 * every position away, the rest is compared. One pass, whatever the number of patterns.
 */
export class ByteSearch {
  readonly #filter = new Uint8Array(2 ** (FILTER_BITS - 3));
  readonly #byKey = new Map<number, { bytes: Buffer; label: string }[]>();
  #longest = 0;

  /** Length of the longest pattern. */
  get longest(): number {
    return this.#longest;
  }

  /** @throws {RangeError} for less than four bytes */
  add(label: string, bytes: Buffer): void {
    if (bytes.length < KEY_BYTES) throw new RangeError('A pattern has at least four bytes');
    const key = bytes.readUInt32LE(0);
    const slot = slotOf(key);
    this.#filter[slot >>> 3] = (this.#filter[slot >>> 3] ?? 0) | (1 << (slot & 7));
    const patterns = this.#byKey.get(key) ?? [];
    patterns.push({ bytes, label });
    this.#byKey.set(key, patterns);
    this.#longest = Math.max(this.#longest, bytes.length);
  }

  /** Adds the labels of all patterns that occur in `haystack` to `found`. */
  find(haystack: Buffer, found: Set<string>): void {
    let key = 0;
    for (let at = 0; at < haystack.length; at += 1) {
      key = (key >>> 8) | ((haystack[at] ?? 0) << 24);
      const slot = slotOf(key);
      if (((this.#filter[slot >>> 3] ?? 0) & (1 << (slot & 7))) === 0 || at < KEY_BYTES - 1) continue;
      const from = at - KEY_BYTES + 1;
      for (const { bytes, label } of this.#byKey.get(key >>> 0) ?? []) {
        if (haystack.subarray(from, from + bytes.length).equals(bytes)) found.add(label);
      }
    }
  }
}

/** Fibonacci hashing. */
function slotOf(key: number): number {
  return Math.imul(key, 0x9e3779b1) >>> (32 - FILTER_BITS);
}
