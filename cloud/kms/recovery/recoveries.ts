import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { newUlid } from '../../../shared/ids/ulid.ts';
import { MOST_RECOVERED, MOST_RECOVERY_SECONDS, type Recovery, type SignedRecovery } from '../../../shared/lease/recovery.ts';
import type { Epochs } from '../epochs/epochs.ts';
import type { Hsm } from '../hsm/hsm.ts';
import type { Orders } from '../orders/orders.ts';
import type { RollbackGuard } from '../rollback-guard.ts';
import type { SigningKeys } from '../signing/signing-keys.ts';
import type { KmsStore } from '../store/open-kms-store.ts';
import type { HandOver } from './verify-hand-over.ts';

/** What the control plane adds before it is signed. */
type Draft = Omit<Recovery, 'authorities'>;

interface LostKey {
  readonly tenant: string;
  readonly epoch: number;
  /** Whether it would be known again: without a check value, anything could be handed over in its place. */
  readonly isKnown: boolean;
}

export interface RecoveriesOptions {
  readonly hsm: Hsm;
  readonly signing: Pick<SigningKeys, 'key'>;
  readonly store: KmsStore;
  readonly guard: RollbackGuard;
  readonly epochs: Epochs;
  readonly orders: Orders;
  readonly now: () => number;
  readonly random: (size: number) => Buffer;
}

/**
 * Brings tenants over to this HSM whose keys went with the one before: boxes that hold such a key under a lease hand it over, where the
 * recovery keys of their org have signed that. What was destroyed stays so, whoever signs: only keys count that these records have as living.
 */
export class Recoveries {
  readonly #options: RecoveriesOptions;

  constructor(options: RecoveriesOptions) {
    this.#options = options;
  }

  /** The keys of an org that this HSM should have and does not. */
  async lost(org: string): Promise<LostKey[]> {
    const { store, epochs } = this.#options;
    const lost: LostKey[] = [];
    for (const cell of store.epochs.newestOf(org)) {
      if (!(await epochs.isLost(cell))) continue;
      lost.push({ tenant: cell.tenant, epoch: cell.epoch, isKnown: store.epochs.check(cell) !== undefined });
    }
    return lost;
  }

  /** What the recovery keys of an org have to sign. @throws {SecureGateError} `admins_missing`, `conflict` (nothing is lost), and the HSM's */
  async draft(org: string): Promise<Draft> {
    const { hsm, signing, store, now, random } = this.#options;
    store.adminSets.get(org);
    const lost = (await this.lost(org)).filter(({ isKnown }) => isKnown);
    if (lost.length === 0) throw new SecureGateError('conflict', 'The HSM lacks no key of this org that could be known again');
    const iat = Math.floor(now() / 1000);
    return {
      id: newUlid(now(), random),
      org,
      iat,
      exp: iat + MOST_RECOVERY_SECONDS,
      tenants: lost.slice(0, MOST_RECOVERED).map(({ tenant, epoch }) => ({ tenant, epoch })),
      transport: { key: await hsm.transportKey(org), oaepHash: hsm.capabilities.oaepHash },
      keys: { commands: await signing.key('commands'), leases: await signing.key('leases'), audit: await signing.key('audit') },
    };
  }

  /**
   * Takes a key over. The records follow the HSM: after a crash between the two the key still counts as lost, and is taken over once more.
   * @throws {SecureGateError} `recovery_rejected`, `hand_over_rejected`, `tenant_destroyed`, `tenant_frozen`, `device_denied`,
   * `assignment_rejected`, `epoch_not_found`, `epoch_replaced`, `conflict` (the key is there), `approval_used`, `tek_rejected`, and the HSM's
   */
  async takeOver(signed: SignedRecovery, handOver: HandOver): Promise<void> {
    const { hsm, store, guard, epochs, orders, now } = this.#options;
    const { org, tenant, epoch, tek } = handOver;
    const cell = { org, tenant, epoch };
    store.denials.requireTenant(org, tenant);
    store.freezes.requireNone(org, tenant);
    requireNamed(await orders.recoveryOf(org, signed), handOver);
    await orders.assignmentOf(handOver, 'hand_over_rejected');
    const newest = epochs.newest(org, tenant);
    if (epoch !== newest)
      throw new SecureGateError('epoch_replaced', 'Only the newest epoch is taken over', { details: { epoch, newest } });
    if (!(await epochs.isLost(cell))) throw new SecureGateError('conflict', 'The HSM has this key', { details: cell });
    const check = store.epochs.check(cell);
    if (check === undefined) throw new SecureGateError('tek_rejected', 'This key would not be known again', { details: cell });
    const use = { org, id: `${handOver.recovery}/${tenant}` };
    store.approvals.requireUnused(use);
    const wrapped = await hsm.importTek(cell, tek, check);
    await guard.change(() => {
      store.approvals.use(use, now());
      store.epochs.rewrap(cell, wrapped);
    });
  }

  /** Takes nothing over any more: what was wrapped for this HSM opens nowhere. */
  async end(org: string): Promise<void> {
    await this.#options.hsm.destroyTransportKey(org);
  }
}

function requireNamed({ id, tenants }: Recovery, { tenant, epoch, recovery }: HandOver): void {
  const isNamed = tenants.some((one) => one.tenant === tenant && one.epoch === epoch);
  if (recovery === id && isNamed) return;
  throw new SecureGateError('hand_over_rejected', 'It is handed over for another recovery, or one that does not name this key', {
    details: { tenant, epoch },
  });
}
