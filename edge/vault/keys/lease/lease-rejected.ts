import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';

/** What is wrong with a lease, or with the answer that it came in. */
export type LeaseFault =
  /** No KMS that this box trusts signed it, or not as a lease. */
  | 'signature'
  | 'form'
  | 'length'
  /** It answers no request that is open: another box's, another process's, one that was answered or is too old. */
  | 'request'
  | 'org'
  | 'tenant'
  | 'device'
  | 'epoch'
  | 'enforcement'
  | 'ended'
  /** The key in it is not sealed to this request. */
  | 'seal';

export function leaseRejected(reason: LeaseFault, cause?: unknown): SecureGateError {
  return new SecureGateError('lease_rejected', `The lease does not hold: ${reason}`, { cause, details: { reason } });
}
