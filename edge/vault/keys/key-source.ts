/** Where a tenant's key (TEK) comes from. Only the tenant's own vault process asks. */
export interface KeySource {
  /**
   * Called when the tenant has no files yet: gets a key for it, unless there is one already.
   * @returns the epoch of that key
   */
  provision(): Promise<number>;
  /**
   * The tenant's key of one epoch, 32 unpooled bytes that the caller owns and wipes.
   * @throws {SecureGateError} `key_file_missing`, `key_file_unsafe`, `key_rejected` (no key of that epoch)
   */
  open(epoch: number): Promise<Buffer>;
  /**
   * Sees to it that the key of this epoch, or of a later one, can be opened.
   * @returns which one that is
   */
  prepare(epoch: number): Promise<number>;
  /** Forgets the keys of all epochs before this one, for ever. */
  retire(before: number): Promise<void>;
}
