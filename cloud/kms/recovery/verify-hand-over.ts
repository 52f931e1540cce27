import { HAND_OVER_TYPE, handOverSchema } from '../../../shared/lease/hand-over.ts';
import { verifyDeviceToken } from '../orders/verify-device-token.ts';

/** A tenant's key as a device hands it over, and the thumbprint (RFC 7638) of the key by which it proved to be the one who does. */
export interface HandOver {
  readonly device: string;
  readonly org: string;
  readonly tenant: string;
  readonly epoch: number;
  /** Id of the recovery that it is for. */
  readonly recovery: string;
  /** The key, wrapped to the transport key. */
  readonly tek: Buffer;
  readonly signedBy: string;
}

const KIND = { type: HAND_OVER_TYPE, claims: handOverSchema, rejection: 'hand_over_rejected' } as const;

/** @throws {SecureGateError} `hand_over_rejected` */
export async function verifyHandOver(token: string): Promise<HandOver> {
  const { claims, signedBy } = await verifyDeviceToken(KIND, token);
  const { sub, org, tenant, epoch, recovery, tek } = claims;
  return { device: sub, org, tenant, epoch, recovery, tek: Buffer.from(tek, 'base64url'), signedBy };
}
