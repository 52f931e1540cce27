import type { TpmBench } from './tpm.ts';

/** File of the context of the key under which everything of ours is sealed. */
export const PRIMARY = 'primary.ctx';

/**
 * Makes the storage key of the owner's hierarchy. It follows from the TPM's seed: the same each time, in no other TPM, and gone for ever when
 * the TPM is cleared.
 */
export async function createPrimary(bench: TpmBench): Promise<void> {
  const attributes = 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt';
  await bench.run('tpm2_createprimary', ['-Q', '-C', 'o', '-g', 'sha256', '-G', 'ecc', '-a', attributes, '-c', PRIMARY]);
}
