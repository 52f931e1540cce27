import { SecureGateError } from '../shared/errors/securegate-error.ts';
import type { KmsClient } from './kms/client.ts';

/** The KMS, of which each call's time and outcome is told. */
export function timeKms(
  kms: Pick<KmsClient, 'call'>,
  took: (operation: string, outcome: string, seconds: number) => void,
): Pick<KmsClient, 'call'> {
  return {
    call: async (operation, input) => {
      const startedAt = performance.now();
      let outcome = 'done';
      try {
        return await kms.call(operation, input);
      } catch (error) {
        outcome = SecureGateError.from(error).code;
        throw error;
      } finally {
        took(operation, outcome, (performance.now() - startedAt) / 1000);
      }
    },
  };
}
