import { openEnvelope } from '../../../shared/crypto/open-envelope.ts';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';

/** @returns undefined for what does not open, where the others are to go on without it */
export function openIfIntact(...envelope: Parameters<typeof openEnvelope>): Buffer | undefined {
  try {
    return openEnvelope(...envelope);
  } catch (error) {
    if (error instanceof SecureGateError && error.code === 'envelope_rejected') return undefined;
    throw error;
  }
}
