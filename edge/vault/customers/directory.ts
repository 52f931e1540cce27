import { foldName } from './fold-name.ts';

interface Entry {
  readonly position: number;
  readonly customerId: string;
  folded: string;
}

/** Names of all customers in memory, in the order in which they were added: names are searched here and nowhere else. */
export class Directory {
  readonly #entries: Entry[] = [];
  readonly #byId = new Map<string, Entry>();

  /** @param position greater than that of every customer who is in it */
  add(position: number, customerId: string, name: string): void {
    const entry: Entry = { position, customerId, folded: foldName(name) };
    this.#entries.push(entry);
    this.#byId.set(customerId, entry);
  }

  rename(customerId: string, name: string): void {
    const entry = this.#byId.get(customerId);
    if (entry) entry.folded = foldName(name);
  }

  remove(customerId: string): void {
    const entry = this.#byId.get(customerId);
    if (!entry) return;
    this.#byId.delete(customerId);
    this.#entries.splice(this.#entries.indexOf(entry), 1);
  }

  /**
   * Customers before a position in whose name each word of the query occurs, the newest first.
   * @param query no words: everybody
   */
  *find(query: string, position: number): Generator<{ readonly position: number; readonly customerId: string }> {
    const words = foldName(query).split(' ');
    for (let index = this.#entries.length - 1; index >= 0; index -= 1) {
      const entry = this.#entries[index];
      if (entry && entry.position < position && words.every((word) => entry.folded.includes(word))) yield entry;
    }
  }

  clear(): void {
    this.#entries.length = 0;
    this.#byId.clear();
  }
}
