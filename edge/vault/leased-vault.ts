import type { SignedRecovery } from '../../shared/lease/recovery.ts';
import type { StickRequest } from '../../shared/lease/stick.ts';
import type { LeaseView } from './protocol.ts';
import { VaultKeeper } from './vault-keeper.ts';

/** What a vault says of its lease, and to the KMS that gives it: it is asked also while it is closed. */
export abstract class LeasedVault extends VaultKeeper {
  /** The lease under which the vault has, or last had, its key; null when there was none since its process began. */
  async lease(): Promise<LeaseView | null> {
    return (await this.ask('getLease', {})).lease;
  }

  /**
   * A request for the tenant's key that a KMS answers, signed by this box.
   * @param nonce the KMS's challenge
   * @param epoch of the key; that of the vault unless said
   * @throws {SecureGateError} `vault_unavailable`, `device_keys_unusable`
   */
  async requestLease(nonce: string, epoch?: number): Promise<string> {
    return (await this.ask('requestLease', { nonce, epoch })).request;
  }

  /**
   * What travels to the KMS on a stick, and may be answered days later.
   * @throws {SecureGateError} `vault_unavailable`, `device_keys_unusable`, `storage_failed`
   */
  requestOnStick(): Promise<StickRequest> {
    return this.ask('requestOnStick', {});
  }

  /**
   * The tenant's key for another HSM, wrapped and signed.
   * @throws {SecureGateError} `vault_unavailable`, `admins_missing`, `recovery_rejected`, `lease_missing`, `lease_ended`, `device_keys_unusable`
   */
  async handOver(recovery: SignedRecovery): Promise<string> {
    return (await this.ask('handOver', { recovery })).token;
  }

  /**
   * This box's word for the KMS that the tenant's files are in the epoch of its lease, and need no key of an earlier one.
   * @throws {SecureGateError} `conflict` (there is no earlier epoch, or one is still held), `device_keys_unusable`
   */
  async sayMoved(): Promise<string> {
    return (await this.ask('sayMoved', {})).token;
  }
}
