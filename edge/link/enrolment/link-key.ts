import type { KeyObject } from 'node:crypto';

/** Where the private key of the box's certificate is. It is on P-256, and the same until the box leaves. */
export interface LinkKey {
  /** Opens it, after making it where there is none. @throws {SecureGateError} `key_file_missing`, `key_file_unsafe`, `key_rejected` */
  open(): KeyObject;
  /** The box has left. */
  forget(): void;
}
