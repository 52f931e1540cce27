import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { AdminSet, SignedSet } from '../../../shared/lease/admin-set.ts';
import type { Recovery, SignedRecovery } from '../../../shared/lease/recovery.ts';
import { verifyAdminSet } from '../../../shared/lease/verify-admin-set.ts';
import { verifyRecovery } from '../../../shared/lease/verify-recovery.ts';
import type { RollbackGuard } from '../rollback-guard.ts';
import type { KmsStore } from '../store/open-kms-store.ts';
import { type Approval, verifyApproval } from './verify-approval.ts';
import { type Assignment, claimedOrg, verifyAssignment } from './verify-assignment.ts';
import type { DeviceTokenKind } from './verify-device-token.ts';

/** Who says to have signed something, and the thumbprint of the key by which it was signed. */
interface DeviceSigned {
  readonly org: string;
  readonly tenant: string;
  readonly device: string;
  readonly signedBy: string;
}

/** What the admins of an org order by their signatures: who they are, and which device may have which tenant's keys, when and how. */
export class Orders {
  readonly #store: KmsStore;
  readonly #guard: RollbackGuard;
  readonly #now: () => number;

  constructor(store: KmsStore, guard: RollbackGuard, now: () => number) {
    this.#store = store;
    this.#guard = guard;
    this.#now = now;
  }

  /** @throws {SecureGateError} `admins_rejected` */
  async pin(org: string, signed: SignedSet): Promise<AdminSet> {
    const set = await verifyAdminSet(signed, org, this.#store.adminSets.find(org));
    await this.#guard.change(() => this.#store.adminSets.add(set, signed, this.#now()));
    return set;
  }

  /**
   * Takes an assignment in place of the one that this device has for this tenant.
   * @throws {SecureGateError} `admins_missing`, `assignment_rejected`, `assignment_used`, `device_denied`, `tenant_destroyed`, `tenant_frozen`
   */
  async assign(token: string): Promise<Assignment> {
    const assignment = await this.#verify(token);
    const { id, org, tenant, device } = assignment;
    await this.#guard.change(() => {
      this.#store.denials.requireDevice(device);
      this.#store.denials.requireTenant(org, tenant);
      this.#store.freezes.requireNone(org, tenant);
      this.#store.assignments.add({ id, org, tenant, device, token }, this.#now());
    });
    return assignment;
  }

  /**
   * The assignment of the device that signed something, verified as of now: it ends with its time, and with the admin who signed it.
   * @param rejection code of the error when another key signed than the one that was assigned
   * @throws {SecureGateError} `assignment_rejected`, `device_denied`, and `rejection`
   */
  async assignmentOf(
    { org, tenant, device, signedBy }: DeviceSigned,
    rejection: DeviceTokenKind<unknown>['rejection'],
  ): Promise<Assignment> {
    this.#store.denials.requireDevice(device);
    const assignment = await this.#verify(this.#store.assignments.get(org, tenant, device).token);
    if (assignment.signingKey !== signedBy) {
      throw new SecureGateError(rejection, 'It is signed by another key than the one that was assigned', { details: { device } });
    }
    return assignment;
  }

  /**
   * The approval of a request that answers no challenge, not used up yet.
   * @param request SHA-256 of the request as it stands, base64url
   * @throws {SecureGateError} `admins_missing`, `approval_rejected`
   */
  async approvalOf(org: string, request: string, token: string): Promise<Approval> {
    return await verifyApproval(token, request, this.#store.adminSets.get(org), this.#now());
  }

  /** @throws {SecureGateError} `approval_used` */
  async useApproval(approval: Approval): Promise<void> {
    await this.#guard.change(() => this.#store.approvals.use(approval, this.#now()));
  }

  /** What the recovery keys of an org have signed. @throws {SecureGateError} `admins_missing`, `recovery_rejected` */
  async recoveryOf(org: string, signed: SignedRecovery): Promise<Recovery> {
    return await verifyRecovery(signed, this.#store.adminSets.get(org), this.#now());
  }

  async #verify(token: string): Promise<Assignment> {
    return await verifyAssignment(token, this.#store.adminSets.get(claimedOrg(token)), this.#now());
  }
}
