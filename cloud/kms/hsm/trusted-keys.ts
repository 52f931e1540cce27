import type { DeviceKey } from './device-key.ts';

/** The list of device keys that may receive tenant keys, as the security officer keeps it. */
export interface TrustedKeys {
  /** A key that is trusted already stays as it is. */
  add(key: DeviceKey): Promise<void>;
  /** @throws {SecureGateError} `device_untrusted` when it is not there */
  remove(fingerprint: string): Promise<void>;
  /** Fingerprints. */
  list(): Promise<string[]>;
}
