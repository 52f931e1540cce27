import { ERROR_CODES, type ErrorCode } from '../../../shared/errors/codes.ts';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';

/** A refusal is problem details (RFC 9457) with a code of ours. @returns undefined for what is none */
export function refusalIn(text: string): SecureGateError | undefined {
  try {
    const { code, detail } = JSON.parse(text) as { code: string; detail: string };
    return Object.hasOwn(ERROR_CODES, code) ? new SecureGateError(code as ErrorCode, detail) : undefined;
  } catch {
    return undefined;
  }
}
