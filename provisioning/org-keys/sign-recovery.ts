import { createHash, createPublicKey } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { FlattenedSign } from 'jose';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { RECOVERY_TYPE, type Recovery, recoverySchema, type SignedRecovery, signedRecoverySchema } from '../../shared/lease/recovery.ts';
import { parseRecovery } from '../../shared/lease/verify-recovery.ts';
import { type OrgKey, requirePrivate } from './key-file.ts';

/**
 * Adds a signature to a recovery, in its file (JWS, RFC 7515). Whoever runs the cloud has drafted it, and could have put in a transport key of
 * his own: it is signed only where somebody has compared that with what the HSM shows.
 * @param transport fingerprint of the key in the HSM
 * @returns how many signatures are in the file now
 * @throws {SecureGateError} `file_unreadable`, `usage` (the fingerprint is missing or another one)
 */
export async function signRecovery(file: string, signer: OrgKey, transport: string | undefined): Promise<number> {
  const { payload, signatures } = read(file);
  const recovery = parseRecovery(payload);
  requireCompared(recovery, transport);
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

/** A draft, or one that has signatures. */
function read(file: string): SignedRecovery {
  try {
    const content: unknown = JSON.parse(readFileSync(file, 'utf8'));
    const signed = signedRecoverySchema.safeParse(content);
    if (signed.success) return signed.data;
    return { payload: Buffer.from(JSON.stringify(recoverySchema.parse(content))).toString('base64url'), signatures: [] };
  } catch (cause) {
    throw new SecureGateError('file_unreadable', `${file} is not what \`securegate cloud recovery draft\` wrote`, {
      cause,
      details: { file },
    });
  }
}

function requireCompared({ org, tenants, transport: { key } }: Recovery, compared: string | undefined): void {
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const told = createHash('sha256').update(spki).digest('base64url');
  if (compared === told) return;
  const names = tenants.map(({ tenant }) => tenant).join(', ');
  const message =
    compared === undefined
      ? `This hands the keys of ${names} to the HSM whose transport key is ${told}. Compare that with what \`securegate kms-trust transport-key ${org}\` shows at the HSM. If both are the same, repeat this with --transport ${told}`
      : 'It is for another transport key than that of the HSM: do not sign it';
  throw new SecureGateError('usage', message, { details: { told } });
}
