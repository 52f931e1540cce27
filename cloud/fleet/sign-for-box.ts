import type { KmsClient } from '../kms/client.ts';
import { signForBoxes } from './sign-for-boxes.ts';

/**
 * What the control plane says to one box.
 * @throws {SecureGateError} the KMS's: `kms_unavailable`
 */
export async function signForBox(kms: Pick<KmsClient, 'call'>, type: string, claims: object): Promise<string> {
  const [token = ''] = await signForBoxes(kms, type, [claims]);
  return token;
}
