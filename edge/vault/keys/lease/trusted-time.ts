/**
 * Time that whoever holds the box cannot set back: the later of the highest time seen so far (kept on the disk) and the machine's
 * clock at the start, then CLOCK_BOOTTIME. Setting the machine's clock back has no effect; only a token that the KMS signed for
 * a nonce of this process sets this time back.
 */
export interface TrustedTime {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /**
   * Believes the time of a token that was verified and answers a nonce of this process.
   * @param at milliseconds since the Unix epoch
   * @throws {SecureGateError} `storage_failed`: it is believed by this process, but not yet written down
   */
  believe(at: number): Promise<void>;
  /** Writes down how far time has come. Called every minute, and at a stop. @throws {SecureGateError} `storage_failed` */
  persist(): Promise<void>;
}
