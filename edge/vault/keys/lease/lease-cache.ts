import type { Enforcement } from '../../../../shared/lease/lease-token.ts';

/** A lease and the tenant key that came with it; `tek` (32 bytes, unpooled) belongs to whoever holds the object, who wipes it. */
export interface HeldLease {
  /** JWT of shared/lease/lease-token.ts, as the KMS signed it. */
  readonly token: string;
  readonly tek: Buffer;
}

/** Where one tenant's leases outlive the vault process, if anywhere: one driver for each level of enforcement. */
export interface LeaseCache {
  readonly enforcement: Enforcement;
  /**
   * @returns the lease of an epoch, or undefined when there is none
   * @throws {SecureGateError} `lease_rolled_back` (an older state of the disk or of the TPM), `lease_cache_failed`
   */
  load(epoch: number): Promise<HeldLease | undefined>;
  /** Keeps a lease in the place of an earlier one of its epoch. @throws {SecureGateError} `lease_cache_failed` */
  save(epoch: number, lease: HeldLease): Promise<void>;
  /** Forgets the leases of all epochs before this one; without an epoch, every one. */
  forget(before?: number): Promise<void>;
}
