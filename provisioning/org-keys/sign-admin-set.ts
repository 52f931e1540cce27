import { FlattenedSign } from 'jose';
import { ADMIN_SET_TYPE, type AdminSet, type SignedSet } from '../../shared/lease/admin-set.ts';
import { type OrgKey, requirePrivate } from './key-file.ts';

/** A set of admin keys, signed by each of these keys (JWS, RFC 7515). */
export async function signAdminSet(set: AdminSet, signers: readonly OrgKey[]): Promise<SignedSet> {
  const payload = Buffer.from(JSON.stringify(set));
  const signatures = [];
  for (const signer of signers) {
    const header = { alg: 'ES256', typ: ADMIN_SET_TYPE, kid: signer.thumbprint };
    const { protected: told = '', signature } = await new FlattenedSign(payload).setProtectedHeader(header).sign(requirePrivate(signer));
    signatures.push({ protected: told, signature });
  }
  return { payload: payload.toString('base64url'), signatures };
}
