import { constants, createHash, publicEncrypt } from 'node:crypto';
import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';
import type { AdminSet } from '../../../../shared/lease/admin-set.ts';
import { EPOCH_MOVED_TYPE } from '../../../../shared/lease/epoch-moved.ts';
import { KMS_AUDIENCE } from '../../../../shared/lease/export-request.ts';
import { HAND_OVER_TYPE } from '../../../../shared/lease/hand-over.ts';
import type { LeaseAnswer } from '../../../../shared/lease/lease-answer.ts';
import type { Enforcement, LeaseClaims } from '../../../../shared/lease/lease-token.ts';
import type { Recovery, SignedRecovery } from '../../../../shared/lease/recovery.ts';
import type { StickRequest } from '../../../../shared/lease/stick.ts';
import { verifyRecovery } from '../../../../shared/lease/verify-recovery.ts';
import type { LeaseView } from '../../protocol.ts';
import type { DeviceKeys } from '../device/device-keys.ts';
import type { KeySource } from '../key-source.ts';
import type { HeldLease, LeaseCache } from './lease-cache.ts';
import { leaseRejected } from './lease-rejected.ts';
import type { LeaseRequests } from './lease-requests.ts';
import { openAnswer } from './open-answer.ts';
import type { KmsKeys } from './read-kms-keys.ts';
import type { TrustedTime } from './trusted-time.ts';
import { verifyLeaseToken } from './verify-lease-token.ts';

const FIRST_EPOCH = 1;

export interface LeaseKeySourceOptions {
  readonly org: string;
  readonly tenant: string;
  readonly device: DeviceKeys;
  /** As they are now. */
  readonly kmsKeys: () => KmsKeys;
  /** The keys of the org that this box has pinned. @throws {SecureGateError} `admins_missing` */
  readonly admins: () => AdminSet;
  readonly requests: LeaseRequests;
  /** Where leases are kept: one for each level of enforcement that this box can hold to. */
  readonly caches: readonly LeaseCache[];
  readonly time: TrustedTime;
}

/**
 * The key of a tenant under a lease: a KMS gives it for a time, in answer to a request that this process made. When the time is over,
 * this source gives it no more.
 */
export class LeaseKeySource implements KeySource {
  readonly #options: LeaseKeySourceOptions;
  /** What this process knows of, by epoch. */
  readonly #leases = new Map<number, LeaseClaims>();
  /** That of the vault's files; the newest one of which there is a lease while there are none. */
  #epoch: number | undefined;

  constructor(options: LeaseKeySourceOptions) {
    this.#options = options;
  }

  /** The lease of the epoch in use; undefined while there was none. */
  get lease(): LeaseView | undefined {
    const claims = this.#leases.get(this.#epoch ?? this.#newest);
    return claims && this.#viewOf(claims);
  }

  /** @throws {SecureGateError} `lease_missing` */
  async provision(): Promise<number> {
    if (!this.#leases.has(this.#newest)) throw missing(this.#newest);
    return this.#newest;
  }

  /** @throws {SecureGateError} `lease_missing`, `lease_ended`, `lease_rejected`, and those of the caches */
  async open(epoch: number): Promise<Buffer> {
    this.#epoch = epoch;
    return await this.#keyOf(epoch);
  }

  /**
   * Whoever moves the epoch has a lease of a later one brought first. The newest is the one to move to: keys of those between are gone sooner.
   * @throws {SecureGateError} as `open`
   */
  async prepare(epoch: number): Promise<number> {
    const newest = Math.max(epoch, this.#newest);
    const tek = await this.#keyOf(newest);
    tek.fill(0);
    return newest;
  }

  async retire(before: number): Promise<void> {
    for (const cache of this.#options.caches) await cache.forget(before);
    for (const epoch of this.#leases.keys()) if (epoch < before) this.#leases.delete(epoch);
  }

  /**
   * @param nonce the KMS's challenge
   * @returns the request, signed by this box
   */
  async request(nonce: string, epoch = this.#epoch ?? this.#newest): Promise<string> {
    return await this.#options.requests.make(nonce, epoch);
  }

  /** What travels on a stick. Whether the KMS has begun another epoch than the last lease names nobody here can know, so it is asked for one more. */
  async requestOnStick(): Promise<StickRequest> {
    const epoch = this.#epoch ?? this.#newest;
    const named = Math.max(...Array.from(this.#leases.values(), ({ newest }) => newest));
    const requests = await this.#options.requests.makeForStick([epoch, Math.max(epoch + 1, named)]);
    return { requests, moved: this.#hasMoved ? await this.sayMoved() : null };
  }

  /**
   * Takes the answer to one of this box's requests, once.
   * @throws {SecureGateError} `lease_rejected`, `lease_cache_failed`, `device_keys_unusable`
   */
  async accept(answer: LeaseAnswer): Promise<LeaseView> {
    const { org, tenant, device, requests, kmsKeys, caches, time } = this.#options;
    // A key that is retired may be in anybody's hands, who would choose time and end.
    const claims = await verifyLeaseToken(answer.lease, kmsKeys().present);
    this.#requireMine(claims);
    const request = await requests.find(claims.nonce);
    if (!request) throw leaseRejected('request');
    const { epoch, nonce, onStick } = request;
    if (claims.epoch !== epoch) throw leaseRejected('epoch');
    if (claims.sealed !== createHash('sha256').update(answer.sealed).digest('base64url')) throw leaseRejected('seal');
    const cache = caches.find(({ enforcement }) => enforcement === claims.enforcement);
    if (!cache) throw leaseRejected('enforcement');
    const tek = await openAnswer(answer, { org, tenant, device: device.id, epoch, nonce }, request.oneUse, device);
    try {
      const issuedAt = claims.iat * 1000;
      // A stick travels for days: by the time of its answer the clock may be set forward, and never back.
      if (!onStick || issuedAt > time.now()) await time.believe(issuedAt);
      if (claims.exp * 1000 <= time.now()) throw leaseRejected('ended');
      await cache.save(epoch, { token: answer.lease, tek });
    } finally {
      tek.fill(0);
    }
    // A lease of another level is held no longer than the newest one allows.
    for (const other of caches) if (other !== cache) await other.forget();
    requests.close(request);
    this.#leases.set(epoch, claims);
    return this.#viewOf(claims);
  }

  /**
   * The box's word that nothing on it needs the keys of earlier epochs any more (epoch-moved.ts).
   * @throws {SecureGateError} `conflict` when there is no earlier one, `device_keys_unusable`
   */
  async sayMoved(): Promise<string> {
    const { org, tenant, device, time } = this.#options;
    const epoch = this.#epoch ?? FIRST_EPOCH;
    if (!this.#hasMoved) throw new SecureGateError('conflict', 'This tenant has not moved', { details: { epoch } });
    const iat = Math.floor(time.now() / 1000);
    return await device.sign(EPOCH_MOVED_TYPE, { aud: KMS_AUDIENCE, sub: device.id, org, tenant, epoch, iat });
  }

  /**
   * The tenant's key for another HSM (hand-over.ts), where the recovery keys of the org have signed that it may have it.
   * @throws {SecureGateError} `admins_missing`, `recovery_rejected`, `device_keys_unusable`, and as `open`: without a lease there is none to hand over
   */
  async handOver(signed: SignedRecovery): Promise<string> {
    const { org, tenant, device, admins, time } = this.#options;
    const { id, transport, ...recovery } = await verifyRecovery(signed, admins(), time.now());
    const epoch = this.#epoch ?? this.#newest;
    const isNamed = recovery.org === org && recovery.tenants.some((one) => one.tenant === tenant && one.epoch === epoch);
    if (!isNamed)
      throw new SecureGateError('recovery_rejected', 'It does not name the key that this box has', { details: { tenant, epoch } });
    const tek = await this.#keyOf(epoch);
    const wrapped = wrapToHsm(transport, tek);
    const iat = Math.floor(time.now() / 1000);
    const claims = { aud: KMS_AUDIENCE, sub: device.id, org, tenant, epoch, iat, recovery: id, tek: wrapped.toString('base64url') };
    return await device.sign(HAND_OVER_TYPE, claims);
  }

  /** Forgets every lease of this tenant, and its keys, for ever. */
  async forget(): Promise<void> {
    for (const cache of this.#options.caches) await cache.forget();
    this.#leases.clear();
  }

  /** Whether the vault's files are in an epoch after the first, opened in this process, and nothing of an earlier one is held. */
  get #hasMoved(): boolean {
    const epoch = this.#epoch ?? FIRST_EPOCH;
    return epoch > FIRST_EPOCH && this.#leases.has(epoch) && ![...this.#leases.keys()].some((held) => held < epoch);
  }

  get #newest(): number {
    return Math.max(FIRST_EPOCH, ...this.#leases.keys());
  }

  async #keyOf(epoch: number): Promise<Buffer> {
    let ended = false;
    for (const cache of this.#options.caches) {
      const held = await cache.load(epoch);
      if (!held) continue;
      const claims = await this.#stillMine(held, cache.enforcement, epoch);
      if (claims.exp * 1000 > this.#options.time.now()) {
        this.#leases.set(epoch, claims);
        return held.tek;
      }
      held.tek.fill(0);
      ended = true;
    }
    throw ended ? new SecureGateError('lease_ended', 'The lease of this tenant has ended', { details: { epoch } }) : missing(epoch);
  }

  /** What lies in a cache was not signed by it. */
  async #stillMine({ token, tek }: HeldLease, enforcement: Enforcement, epoch: number): Promise<LeaseClaims> {
    try {
      const claims = await verifyLeaseToken(token, this.#options.kmsKeys().known);
      this.#requireMine(claims);
      if (claims.epoch !== epoch) throw leaseRejected('epoch');
      if (claims.enforcement !== enforcement) throw leaseRejected('enforcement');
      return claims;
    } catch (error) {
      tek.fill(0);
      throw error;
    }
  }

  #viewOf({ epoch, newest, enforcement, iat, exp }: LeaseClaims): LeaseView {
    return { epoch, newest, enforcement, issuedAt: iat * 1000, endsAt: exp * 1000, leftMs: exp * 1000 - this.#options.time.now() };
  }

  /** Leases of other tenants and boxes are signed by the same KMS. */
  #requireMine(claims: LeaseClaims): void {
    const { org, tenant, device } = this.#options;
    if (claims.org !== org) throw leaseRejected('org');
    if (claims.tenant !== tenant) throw leaseRejected('tenant');
    if (claims.sub !== device.id) throw leaseRejected('device');
  }
}

/** @param tek is wiped */
function wrapToHsm({ key, oaepHash }: Recovery['transport'], tek: Buffer): Buffer {
  try {
    return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, tek);
  } finally {
    tek.fill(0);
  }
}

function missing(epoch: number): SecureGateError {
  return new SecureGateError('lease_missing', 'There is no lease of this tenant', { details: { epoch } });
}
