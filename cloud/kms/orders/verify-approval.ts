import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { AdminSet } from '../../../shared/lease/admin-set.ts';
import { MOST_APPROVAL_SECONDS, OFFLINE_APPROVAL_TYPE, offlineApprovalSchema } from '../../../shared/lease/offline-approval.ts';
import { verifyAdminToken } from './verify-admin-token.ts';

/** An approval that holds. Whether it was used before say the records. */
export interface Approval {
  readonly id: string;
  readonly org: string;
}

const KIND = { type: OFFLINE_APPROVAL_TYPE, claims: offlineApprovalSchema, rejection: 'approval_rejected' } as const;

/**
 * Checks that an admin approved this one request, which answers no challenge.
 * @param request SHA-256 of the request as it stands, base64url
 * @throws {SecureGateError} `approval_rejected`
 */
export async function verifyApproval(token: string, request: string, admins: AdminSet, now: number): Promise<Approval> {
  const approval = await verifyAdminToken(KIND, token, admins, now);
  if (approval.request !== request) throw new SecureGateError('approval_rejected', 'This approval is for another request');
  if (approval.exp - approval.iat > MOST_APPROVAL_SECONDS) {
    throw new SecureGateError('approval_rejected', 'This approval would hold for too long', { details: { most: MOST_APPROVAL_SECONDS } });
  }
  return { id: approval.jti, org: approval.org };
}
