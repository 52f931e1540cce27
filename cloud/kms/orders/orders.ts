import type { KmsStore } from '../store/open-kms-store.ts';
import type { AdminSet } from './admin-set.ts';
import { type SignedSet, verifyAdminSet } from './verify-admin-set.ts';
import { type Assignment, claimedOrg, verifyAssignment } from './verify-assignment.ts';

/** What the admins of an org order by their signatures: who they are, and which device may have which tenant's keys. */
export class Orders {
  readonly #store: KmsStore;
  readonly #now: () => number;

  constructor(store: KmsStore, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /** @throws {SecureGateError} `admins_rejected` */
  async pin(org: string, signed: SignedSet): Promise<AdminSet> {
    const set = await verifyAdminSet(signed, org, this.#store.adminSets.find(org));
    this.#store.adminSets.add(set, this.#now());
    return set;
  }

  /**
   * Takes an assignment in place of the one that this device has for this tenant.
   * @throws {SecureGateError} `admins_missing`, `assignment_rejected`, `assignment_used`, `device_denied`, `tenant_destroyed`
   */
  async assign(token: string): Promise<Assignment> {
    const assignment = await this.#verify(token);
    const { id, org, tenant, device } = assignment;
    this.#store.denials.requireDevice(device);
    this.#store.denials.requireTenant(org, tenant);
    this.#store.assignments.add({ id, org, tenant, device, token }, this.#now());
    return assignment;
  }

  /**
   * The assignment of a device to a tenant, verified as of now: it ends with its time, and with the admin who signed it.
   * @throws {SecureGateError} `assignment_rejected`, `device_denied`
   */
  async assignmentOf(org: string, tenant: string, device: string): Promise<Assignment> {
    this.#store.denials.requireDevice(device);
    return await this.#verify(this.#store.assignments.get(org, tenant, device).token);
  }

  async #verify(token: string): Promise<Assignment> {
    return await verifyAssignment(token, this.#store.adminSets.get(claimedOrg(token)), this.#now());
  }
}
