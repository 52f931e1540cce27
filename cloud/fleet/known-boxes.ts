/** What the ledger has to know of a box. */
export interface KnownBox {
  readonly org: string;
  /** The keys by which the box signs its words: those of its certificates (key-hash.ts). */
  readonly signingKeys: readonly string[];
}

/** The boxes that count. */
export interface KnownBoxes {
  /** @returns undefined for one that was never enrolled, has left or is denied */
  find(device: string): Promise<KnownBox | undefined>;
}
