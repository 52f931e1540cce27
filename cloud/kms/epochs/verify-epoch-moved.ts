import { EPOCH_MOVED_TYPE, epochMovedSchema } from '../../../shared/lease/epoch-moved.ts';
import { verifyDeviceToken } from '../orders/verify-device-token.ts';

/** What a device says when it has moved to an epoch, and the thumbprint (RFC 7638) of the key by which it proved to be the one who says it. */
export interface EpochMoved {
  readonly device: string;
  readonly org: string;
  readonly tenant: string;
  readonly epoch: number;
  readonly signedBy: string;
}

const KIND = { type: EPOCH_MOVED_TYPE, claims: epochMovedSchema, rejection: 'move_rejected' } as const;

/** @throws {SecureGateError} `move_rejected` */
export async function verifyEpochMoved(token: string): Promise<EpochMoved> {
  const { claims, signedBy } = await verifyDeviceToken(KIND, token);
  const { sub, org, tenant, epoch } = claims;
  return { device: sub, org, tenant, epoch, signedBy };
}
