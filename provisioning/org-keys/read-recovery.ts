import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { recoverySchema, type SignedRecovery, signedRecoverySchema } from '../../shared/lease/recovery.ts';

/** A draft, or one that has signatures. @throws {SecureGateError} `file_unreadable` */
export function readRecovery(file: string): SignedRecovery {
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

/** Of all that it says, SHA-256, base64url: with any other key in it, it is another one. */
export function recoveryFingerprint(payload: string): string {
  return createHash('sha256').update(payload, 'base64url').digest('base64url');
}
