import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Finding } from './finding.ts';

const CHECK = 'leases';
const WITHOUT = 'can be kept in memory or in a file';

/** How this box can hold to leases of tenant keys, and why not better. */
export async function checkLeases(tpm: { readonly tcti: string; readonly pcrs?: string | undefined } | undefined): Promise<Finding> {
  if (tpm === undefined)
    return { check: CHECK, state: 'ok', message: `${WITHOUT}; not in a TPM: the configuration names none (lease.tpm)` };
  try {
    const { examineTpm } = await import('../../edge/runtime/tpm/examine-tpm.ts');
    await examineTpm(tpm.tcti);
  } catch (error) {
    const { message, details, next } = SecureGateError.from(error);
    return {
      check: CHECK,
      state: 'fail',
      message: `${WITHOUT}, not in the TPM: ${message}`,
      next: typeof details.advice === 'string' ? details.advice : next,
    };
  }
  if (tpm.pcrs !== undefined) {
    return { check: CHECK, state: 'ok', message: `can be kept in memory, in a file or in the TPM, bound to ${tpm.pcrs}` };
  }
  return {
    check: CHECK,
    state: 'warn',
    message: 'can be kept in memory, in a file or in the TPM, which opens them for whatever system is started on this box',
    next: 'Set lease.tpm.pcrs, so that they open for this system alone.',
  };
}
