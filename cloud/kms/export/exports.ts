import type { LeaseAnswer } from '../../../shared/lease/lease-answer.ts';
import type { Epochs } from '../epochs/epochs.ts';
import type { Moves } from '../epochs/moves.ts';
import type { Hsm } from '../hsm/hsm.ts';
import type { Orders } from '../orders/orders.ts';
import type { Approval } from '../orders/verify-approval.ts';
import type { SigningKeys } from '../signing/signing-keys.ts';
import type { Rates } from '../store/rates.ts';
import type { Challenges } from './challenges.ts';
import { sealForDevice } from './seal-for-device.ts';
import { signLease } from './sign-lease.ts';
import type { ExportRequest } from './verify-export-request.ts';

export interface ExportsOptions {
  readonly hsm: Hsm;
  readonly signing: SigningKeys;
  readonly orders: Orders;
  readonly epochs: Epochs;
  readonly moves: Pick<Moves, 'noteKey'>;
  readonly rates: Rates;
  readonly challenges: Challenges;
  readonly limits: { readonly exportsPerDevice: number; readonly exportsPerTenant: number };
  readonly now: () => number;
}

/**
 * Hands a tenant key to a device: wrapped inside the HSM to the RSA key that the HSM trusts and the org's admin assigned, inside
 * HPKE to the one-use key of the request, and with it the lease under which the device may use it. Nothing of it is stored,
 * queued or logged.
 */
export class Exports {
  readonly #options: ExportsOptions;

  constructor(options: ExportsOptions) {
    this.#options = options;
  }

  /**
   * @param approval for a request that answers no challenge; it is used up before the key goes out, whatever comes of that
   * @throws {SecureGateError} `export_rejected`, `approval_used`, `assignment_rejected`, `admins_missing`, `device_denied`, `device_untrusted`,
   * `rate_limited`, `tenant_destroyed`, `tenant_frozen`, `epoch_not_found`, `epoch_replaced`, `cell_gone`, `tek_rejected`, and the HSM's
   */
  async export(request: ExportRequest, approval?: Approval): Promise<LeaseAnswer> {
    const { hsm, signing, orders, epochs, moves, rates, challenges, limits, now } = this.#options;
    const { org, tenant, device, epoch } = request;
    if (!approval) challenges.take(request.nonce);
    const assignment = await orders.assignmentOf(request, 'export_rejected');
    rates.take(`device/${org}/${tenant}/${device}`, limits.exportsPerDevice, now());
    rates.take(`tenant/${org}/${tenant}`, limits.exportsPerTenant, now());
    const wrapped = epochs.wrapped({ org, tenant, epoch }, device);
    if (approval) await orders.useApproval(approval);
    await moves.noteKey({ org, tenant, epoch }, device);
    const { encapsulated, sealed } = await sealForDevice(await hsm.exportTek({ org, tenant, epoch }, wrapped, assignment.wrapKey), request);
    const lease = await signLease(signing, request, assignment, sealed, epochs.newest(org, tenant), now());
    return { encapsulated, sealed, oaepHash: hsm.capabilities.oaepHash, lease };
  }
}
