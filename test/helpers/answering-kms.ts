import { constants, createHash, publicEncrypt } from 'node:crypto';
import { SignJWT } from 'jose';
import { sealForDevice } from '../../cloud/kms/export/seal-for-device.ts';
import { verifyExportRequest } from '../../cloud/kms/export/verify-export-request.ts';
import type { LeaseAnswer } from '../../shared/lease/lease-answer.ts';
import { DEFAULT_LEASE_SECONDS, LEASE_TYPE, type LeaseClaims } from '../../shared/lease/lease-token.ts';
import { TestSigner } from './kms.ts';

export interface AnswerChange {
  readonly claims?: Partial<LeaseClaims>;
  readonly typ?: string;
  readonly signer?: TestSigner;
  /** In the place of what was asked for, for the seal alone. */
  readonly sealedFor?: object;
}

/** Seals and signs as the KMS does, and where a test wants it, as no KMS would. */
export class AnsweringKms {
  readonly signer = new TestSigner();
  /** Milliseconds since the Unix epoch. */
  now: number;

  constructor(now: number) {
    this.now = now;
  }

  /** @param wrapKey of the device, PEM */
  async answer(request: string, wrapKey: string, tek: Buffer, change: AnswerChange = {}): Promise<LeaseAnswer> {
    const asked = await verifyExportRequest(request);
    const wrapped = publicEncrypt({ key: wrapKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }, tek);
    const { encapsulated, sealed } = await sealForDevice(wrapped, { ...asked, ...change.sealedFor });
    const { device, org, tenant, epoch, nonce } = asked;
    const iat = Math.floor(this.now / 1000);
    const claims: LeaseClaims = {
      aud: 'securegate-box',
      sub: device,
      org,
      tenant,
      epoch,
      newest: epoch,
      nonce,
      iat,
      exp: iat + DEFAULT_LEASE_SECONDS,
      enforcement: 'memory',
      sealed: createHash('sha256').update(sealed).digest('base64url'),
      ...change.claims,
    };
    const { privateKey } = change.signer ?? this.signer;
    const lease = await new SignJWT({ ...claims }).setProtectedHeader({ alg: 'ES256', typ: change.typ ?? LEASE_TYPE }).sign(privateKey);
    return { encapsulated, sealed, oaepHash: 'sha256', lease };
  }
}
