import { decodeJwt } from 'jose';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { epochMovedSchema } from '../../../shared/lease/epoch-moved.ts';
import type { KmsClient } from '../../kms/client.ts';

/**
 * Has the keys of those epochs destroyed that the last box has just left: without it, an older copy of keyring and KMS database would still
 * open who was erased. Where it does not come to that, the box has no answer, says again that it has moved, and it is tried again.
 * @param token a box's word that it has moved, which the KMS has taken
 * @throws {SecureGateError} the HSM's
 */
export async function destroyLeftEpochs(kms: Pick<KmsClient, 'call'>, token: string): Promise<void> {
  const { org, tenant, epoch: newest } = epochMovedSchema.parse(decodeJwt(token));
  for (const { epoch, state } of await kms.call('listEpochs', { org, tenant })) {
    if (epoch >= newest || state === 'destroyed') continue;
    try {
      await kms.call('destroyEpoch', { org, tenant, epoch });
    } catch (error) {
      if (SecureGateError.from(error).code !== 'boxes_waiting') throw error;
    }
  }
}
