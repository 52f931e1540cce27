import { createPrimary } from './create-primary.ts';
import { Tpm } from './tpm.ts';

/**
 * Tries what every use of the TPM begins with: it is there, this user may use it, and its owner has no password.
 * @throws {SecureGateError} `tpm_unavailable`
 */
export async function examineTpm(tcti: string): Promise<void> {
  await new Tpm(tcti).work(createPrimary);
}
