import type { LeaseAnswer } from '../../shared/lease/lease-answer.ts';

/**
 * Carries a vault's request for its tenant's key to a KMS and brings the answer back, at once: neither is ever queued or stored.
 * What it carries is signed and sealed; whoever carries it learns and changes nothing.
 */
export interface LeaseCarrier {
  /** A number for the box to sign in its request. @throws {SecureGateError} that it cannot be reached, and the KMS's own */
  challenge(): Promise<string>;
  /** @throws {SecureGateError} that it cannot be reached, and the KMS's own */
  export(request: string): Promise<LeaseAnswer>;
  /** Brings the KMS a box's word that it has moved. @throws {SecureGateError} that it cannot be reached, and the KMS's own */
  acknowledgeMove(token: string): Promise<void>;
}
