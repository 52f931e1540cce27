import { z } from 'zod';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { slugSchema } from '../../../shared/ids/ids.ts';
import type { AdminSet } from '../../../shared/lease/admin-set.ts';
import { ASSIGNMENT_TYPE, assignmentClaimsSchema } from '../../../shared/lease/assignment.ts';
import type { LeaseTerms } from '../../../shared/lease/lease-token.ts';
import { verifyAdminToken } from './verify-admin-token.ts';

export interface Assignment {
  readonly id: string;
  readonly org: string;
  readonly tenant: string;
  readonly device: string;
  readonly wrapKey: string;
  readonly signingKey: string;
  readonly lease: LeaseTerms;
  /** Seconds since the Unix epoch: no lease lives longer. */
  readonly endsAt: number;
}

const KIND = { type: ASSIGNMENT_TYPE, claims: assignmentClaimsSchema, rejection: 'assignment_rejected' } as const;

/** @throws {SecureGateError} `assignment_rejected` */
export async function verifyAssignment(token: string, admins: AdminSet, now: number): Promise<Assignment> {
  const { jti, org, tenant, sub, wrap, cnf, lease, exp } = await verifyAdminToken(KIND, token, admins, now);
  return { id: jti, org, tenant, device: sub, wrapKey: wrap, signingKey: cnf.jkt, lease, endsAt: exp };
}

/** The org that an assignment claims to be of, to look up its keys. Nothing is believed of it yet. */
export function claimedOrg(token: string): string {
  try {
    const [, payload = ''] = token.split('.');
    return z.object({ org: slugSchema }).parse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))).org;
  } catch (cause) {
    throw new SecureGateError('assignment_rejected', 'This is not an assignment', { cause });
  }
}
