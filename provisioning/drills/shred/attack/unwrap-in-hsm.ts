import { constants, createHash, createPublicKey, type KeyObject, privateDecrypt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Cell } from '../../../../cloud/kms/hsm/hsm.ts';
import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';

export interface Unwrapping {
  readonly teks: Buffer[];
  /** How often the HSM said no, by the code of why. */
  readonly refused: Readonly<Record<string, number>>;
}

/**
 * Has the living HSM give out tenant keys, by the PIN of the KMS: each wrapped key that was found, under each cell that was heard of, to each
 * box whose private key was found.
 * @param kmsConfig configuration of the KMS
 */
export async function unwrapInHsm(
  kmsConfig: string,
  wrapped: readonly Buffer[],
  cells: readonly Cell[],
  boxKeys: readonly KeyObject[],
): Promise<Unwrapping> {
  const [{ openHsm }, { kmsConfigSchema }] = await Promise.all([
    import('../../../../cloud/kms/hsm/open-hsm.ts'),
    import('../../../../cloud/kms/config/schema.ts'),
  ]);
  const hsm = await openHsm(kmsConfigSchema.parse(JSON.parse(readFileSync(kmsConfig, 'utf8'))).hsm);
  const teks: Buffer[] = [];
  const refused: Record<string, number> = {};
  await hsm.start();
  try {
    const { oaepHash } = hsm.capabilities;
    for (const boxKey of boxKeys) {
      for (const cell of cells) {
        for (const one of wrapped) {
          try {
            const exported = await hsm.exportTek(cell, one, fingerprintOf(boxKey));
            teks.push(privateDecrypt({ key: boxKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, exported));
          } catch (error) {
            if (!(error instanceof SecureGateError)) throw error;
            refused[error.code] = (refused[error.code] ?? 0) + 1;
          }
        }
      }
    }
  } finally {
    await hsm.stop();
  }
  return { teks, refused };
}

function fingerprintOf(key: KeyObject): string {
  return createHash('sha256')
    .update(createPublicKey(key).export({ type: 'spki', format: 'der' }))
    .digest('base64url');
}
