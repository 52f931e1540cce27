import type { PublicKey } from '../../../../shared/lease/public-key.ts';

/**
 * The two keys that make this box the one that an org's admin assigned. Only a tenant's vault process and the command line that shows
 * their public halves open them.
 */
export interface DeviceKeys {
  /** `box_…`, the id that assignments name. */
  readonly id: string;
  /** By which the box signs, EC P-256. */
  readonly signingKey: PublicKey;
  /** To which tenant keys are wrapped: PEM of an RSA SubjectPublicKeyInfo. */
  readonly wrapKey: string;

  /**
   * Signs a JWT (RFC 7519, ES256) with its public key in the header.
   * @param type the header's `typ`
   * @throws {SecureGateError} `device_keys_unusable`
   */
  sign(type: string, claims: object): Promise<string>;
  /**
   * Opens what was wrapped to {@link wrapKey} (RSA-OAEP, RFC 8017).
   * @returns the bytes in an unpooled buffer that the caller owns and wipes
   * @throws {SecureGateError} `lease_rejected` when it was not wrapped to this key, `device_keys_unusable`
   */
  unwrap(wrapped: Buffer, hash: 'sha1' | 'sha256'): Promise<Buffer>;
}
