import type { JWK } from 'jose';

/** One tenant's cell of one epoch: the HSM key (OEK) under which the tenant key (TEK) of that epoch is wrapped. */
export interface Cell {
  readonly org: string;
  readonly tenant: string;
  readonly epoch: number;
}

export const SIGNING_USES = ['commands', 'audit', 'ca', 'leases'] as const;
/**
 * What a signing key is for. Each use has a key of its own, so that nothing signed for one counts for another. One that takes the place of
 * an earlier one has a name of its own as well: `ca-2`, `audit-3` and so on.
 */
export type SigningUse = (typeof SIGNING_USES)[number] | `${(typeof SIGNING_USES)[number]}-${number}`;

export interface HsmCapabilities {
  /** Tenant keys are wrapped inside; otherwise they pass through this process's memory. */
  readonly wrapInHsm: boolean;
  /** Which device keys may receive a tenant key is enforced by the HSM and decided by its security officer. */
  readonly trustedWrap: boolean;
  /** Hash of RSA-OAEP (RFC 8017) and of its mask generation, in exports. */
  readonly oaepHash: 'sha1' | 'sha256';
  /** Days after which a destroyed cell is in no backup of the HSM any more; null where nobody can promise that. */
  readonly destroyHorizonDays: number | null;
}

/**
 * Where the keys live. A driver holds no state but its connection; every method can fail with `hsm_unavailable`
 * (not reachable, not logged in) and `hsm_refused` (it said no, and its log says why).
 */
export interface Hsm {
  /** For logs, the audit and `status`; honest about what it is. */
  readonly title: string;
  readonly capabilities: HsmCapabilities;

  /** @throws {SecureGateError} `hsm_unavailable`, `hsm_unsuitable`, `secret_file_unsafe` */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Resolves when the HSM answers. */
  probe(): Promise<void>;

  /** @throws {SecureGateError} `conflict` when there is such a cell already */
  createCell(cell: Cell): Promise<void>;
  hasCell(cell: Cell): Promise<boolean>;
  /** Destroys the cell's key for ever; whether it was there or not, it is gone when this resolves. */
  destroyCell(cell: Cell): Promise<void>;

  /**
   * Makes a tenant key of 256 bits and wraps it under its cell (RFC 5649). It is read back before it is returned.
   * @returns 40 bytes
   * @throws {SecureGateError} `cell_gone`
   */
  createTek(cell: Cell): Promise<Buffer>;
  /**
   * Unwraps a tenant key and wraps it for a trusted device key (RSA-OAEP).
   * @param wrapped as {@link createTek} gave it
   * @param device fingerprint of the device's RSA key
   * @throws {SecureGateError} `cell_gone`, `tek_rejected` (not this cell's, or changed), `device_untrusted`
   */
  exportTek(cell: Cell, wrapped: Buffer, device: string): Promise<Buffer>;

  /**
   * By what a tenant key is known again when everything that wrapped it is gone: SHA-256 of {@link tekCheckPrefix} and the key, made
   * where the key is opened.
   * @throws {SecureGateError} `cell_gone`, `tek_rejected`
   */
  checkTek(cell: Cell, wrapped: Buffer): Promise<Buffer>;
  /** Public key (RSA, PEM) to which boxes wrap the tenant keys of an org that this HSM is to have; made when it is asked for the first time. */
  transportKey(org: string): Promise<string>;
  /** Destroys that key: nothing that was wrapped to it opens any more. */
  destroyTransportKey(org: string): Promise<void>;
  /**
   * Takes over a tenant key that a box wrapped to the transport key of its org (RSA-OAEP). It is compared with its check value before it is
   * wrapped under a new cell, which takes the place of whatever has its id, and read back.
   * @param check as {@link checkTek} gave it
   * @throws {SecureGateError} `tek_rejected` (it does not open, or is another key), `recovery_rejected` (there is no transport key)
   */
  importTek(cell: Cell, handedOver: Buffer, check: Buffer): Promise<Buffer>;

  /** Number of the last change of the KMS's records that is counted here; 0 before the first. */
  recordsVersion(): Promise<number>;
  /** Raises that number; it never falls. */
  raiseRecordsVersion(to: number): Promise<void>;
  /** Whether the security officer accepts records of one number while another one is counted here. */
  acceptsRecords(records: number, counted: number): Promise<boolean>;

  /** Public key (EC P-256) of a use; made when it is asked for the first time. */
  signingKey(use: SigningUse): Promise<JWK>;
  /**
   * ECDSA over P-256 with SHA-256 (FIPS 186-5).
   * @returns r and s, 64 bytes, as JWS ES256 has them
   */
  sign(use: SigningUse, message: Buffer): Promise<Buffer>;
}

export const WRAPPED_TEK_BYTES = 40;
export const TRANSPORT_KEY_BITS = 3072;

/** What the check value of a tenant key is over, before the key itself: the same key in two places is not seen to be the same. */
export function tekCheckPrefix({ org, tenant, epoch }: Cell): Buffer {
  return Buffer.from(`securegate/v1/tek-check ${org}/${tenant}/${epoch} `);
}
