import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { FlattenedSign } from 'jose';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { RECOVERY_TYPE, type Recovery, type SignedRecovery } from '../../shared/lease/recovery.ts';
import { parseRecovery } from '../../shared/lease/verify-recovery.ts';
import { type OrgKey, requirePrivate } from './key-file.ts';
import { readRecovery, recoveryFingerprint } from './read-recovery.ts';

/**
 * Adds a signature to a recovery, in its file (JWS, RFC 7515). Whoever runs the cloud has drafted it, and could have put in keys of his own: it
 * is signed only where the security officer has looked at the HSM whether they are its keys.
 * @param compared fingerprint of the recovery at which the security officer has looked
 * @returns how many signatures are in the file now
 * @throws {SecureGateError} `file_unreadable`, `usage` (the fingerprint is missing or another one)
 */
export async function signRecovery(file: string, signer: OrgKey, compared: string | undefined): Promise<number> {
  const { payload, signatures } = readRecovery(file);
  requireCompared(payload, parseRecovery(payload), basename(file), compared);
  const header = { alg: 'ES256', typ: RECOVERY_TYPE, kid: signer.thumbprint };
  const flattened = new FlattenedSign(Buffer.from(payload, 'base64url')).setProtectedHeader(header);
  const { protected: told = '', signature } = await flattened.sign(requirePrivate(signer));
  const signed: SignedRecovery = {
    payload,
    signatures: [...signatures.filter((one) => one.protected !== told), { protected: told, signature }],
  };
  writeFileSync(file, `${JSON.stringify(signed)}\n`);
  return signed.signatures.length;
}

function requireCompared(payload: string, { tenants }: Recovery, file: string, compared: string | undefined): void {
  const told = recoveryFingerprint(payload);
  if (compared === told) return;
  const names = tenants.map(({ tenant }) => tenant).join(', ');
  const message =
    compared === undefined
      ? `This hands the keys of ${names} to another HSM. Its fingerprint is ${told}. Compare that with what \`securegate kms-trust check-recovery ${file}\` shows at the HSM. If both are the same, repeat this with --fingerprint ${told}`
      : 'It is another recovery than the one that was checked at the HSM: do not sign it';
  throw new SecureGateError('usage', message, { details: { told } });
}
