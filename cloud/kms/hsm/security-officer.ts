import type { DeviceKey } from './device-key.ts';

/** What the security officer of the HSM decides: which device keys may receive tenant keys, and whether older records of the KMS will do. */
export interface SecurityOfficer {
  /** A key that is trusted already stays as it is. */
  add(key: DeviceKey): Promise<void>;
  /** @throws {SecureGateError} `device_untrusted` when it is not there */
  remove(fingerprint: string): Promise<void>;
  /** Fingerprints. */
  list(): Promise<string[]>;
  /** Fingerprint of an org's transport key, for those who sign that it is the one. @throws {SecureGateError} `recovery_rejected` where there is none */
  transportKey(org: string): Promise<string>;
  /**
   * Has the KMS start once with records that are not of the HSM's time.
   * @param records number of the last change in the records
   * @param counted number of the last change as the HSM has it
   */
  acceptRecords(records: number, counted: number): Promise<void>;
}
