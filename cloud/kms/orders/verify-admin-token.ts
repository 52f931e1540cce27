import { calculateJwkThumbprint, decodeProtectedHeader, importJWK, jwtVerify } from 'jose';
import { z } from 'zod';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { AdminSet } from '../../../shared/lease/admin-set.ts';
import { KMS_AUDIENCE } from '../../../shared/lease/export-request.ts';

/** What tokens of an admin have in common; each kind has a type of its own, so that none is taken for another. */
interface AdminClaims {
  readonly org: string;
  readonly iat: number;
}

export interface AdminTokenKind<Claims extends AdminClaims> {
  readonly type: string;
  readonly claims: z.ZodType<Claims>;
  /** Code of the error when it does not hold. */
  readonly rejection: 'assignment_rejected' | 'approval_rejected';
}

const MOST_SKEW_MS = 60_000;

/**
 * Checks what one admin of an org signed (JWT, RFC 7519, ES256) against the keys that are pinned for the org now: what was signed by
 * an admin who is no more does not hold.
 * @throws {SecureGateError} the kind's `rejection`
 */
export async function verifyAdminToken<Claims extends AdminClaims>(
  kind: AdminTokenKind<Claims>,
  token: string,
  admins: AdminSet,
  now: number,
): Promise<Claims> {
  try {
    const { payload } = await jwtVerify(token, await importJWK(await signerOf(token, admins), 'ES256'), {
      algorithms: ['ES256'],
      typ: kind.type,
      audience: KMS_AUDIENCE,
      currentDate: new Date(now),
    });
    const claims = kind.claims.parse(payload);
    if (claims.org !== admins.org) throw new Error('It is of another org');
    if (claims.iat * 1000 > now + MOST_SKEW_MS) throw new Error('It is from the future');
    return claims;
  } catch (cause) {
    throw new SecureGateError(kind.rejection, 'What an admin is to have signed does not hold', {
      cause,
      details: { reason: reasonOf(cause) },
    });
  }
}

async function signerOf(token: string, { admins }: AdminSet): Promise<AdminSet['admins']['keys'][number]> {
  const { kid } = decodeProtectedHeader(token);
  for (const key of admins.keys) if ((await calculateJwkThumbprint(key)) === kid) return key;
  throw new Error('It is not signed by a pinned admin key');
}

function reasonOf(cause: unknown): string {
  return cause instanceof z.ZodError ? 'its claims are not those of its kind' : cause instanceof Error ? cause.message : 'unknown';
}
