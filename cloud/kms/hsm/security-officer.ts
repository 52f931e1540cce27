import type { Recovery } from '../../../shared/lease/recovery.ts';
import type { DeviceKey } from './device-key.ts';

/** What the security officer of the HSM decides: which device keys may receive tenant keys, and whether older records of the KMS will do. */
export interface SecurityOfficer {
  /** A key that is trusted already stays as it is. */
  add(key: DeviceKey): Promise<void>;
  /** @throws {SecureGateError} `device_untrusted` when it is not there */
  remove(fingerprint: string): Promise<void>;
  /** Fingerprints. */
  list(): Promise<string[]>;
  /**
   * Looks whether every key that a recovery names is in the HSM, for those who are to sign it.
   * @throws {SecureGateError} `recovery_rejected` where one is not
   */
  checkRecovery(recovery: Recovery): Promise<void>;
  /**
   * Has the KMS start once with records that are not of the HSM's time.
   * @param records number of the last change in the records
   * @param counted number of the last change as the HSM has it
   */
  acceptRecords(records: number, counted: number): Promise<void>;
}
