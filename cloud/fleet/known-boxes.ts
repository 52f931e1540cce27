/** What the ledger has to know of a box. */
export interface KnownBox {
  readonly org: string;
  /** Thumbprints (RFC 7638) of the keys by which the box signs its words. */
  readonly signingKeys: readonly string[];
}

/** The boxes that count. */
export interface KnownBoxes {
  /** @returns undefined for one that was never enrolled, has left or is denied */
  find(device: string): Promise<KnownBox | undefined>;
}
