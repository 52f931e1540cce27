import pkcs11 from 'pkcs11js';
import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';

/**
 * The library lost its token, its sessions or its login: all of them are to be set up again. GENERAL_ERROR is what SoftHSM says
 * from when its files were away until it is initialised anew.
 */
const LOST: ReadonlySet<number> = new Set([
  pkcs11.CKR_CRYPTOKI_NOT_INITIALIZED,
  pkcs11.CKR_DEVICE_ERROR,
  pkcs11.CKR_DEVICE_REMOVED,
  pkcs11.CKR_GENERAL_ERROR,
  pkcs11.CKR_SESSION_CLOSED,
  pkcs11.CKR_SESSION_HANDLE_INVALID,
  pkcs11.CKR_TOKEN_NOT_PRESENT,
  pkcs11.CKR_TOKEN_NOT_RECOGNIZED,
  pkcs11.CKR_USER_NOT_LOGGED_IN,
]);

/** Something that was begun in this session before is in the way: another session will do. */
const STALE: ReadonlySet<number> = new Set([pkcs11.CKR_OPERATION_ACTIVE, pkcs11.CKR_OPERATION_NOT_INITIALIZED]);

/** What would help: setting up everything again, another session, or nothing. */
export function remedyFor(error: unknown): 'reconnect' | 'another-session' | undefined {
  const code = codeOf(error);
  if (code === undefined) return undefined;
  if (LOST.has(code)) return 'reconnect';
  return STALE.has(code) ? 'another-session' : undefined;
}

/** Whether the token said one of these. */
export function isRefusal(error: unknown, codes: ReadonlySet<number>): boolean {
  const code = codeOf(error);
  return code !== undefined && codes.has(code);
}

/** Any thrown value as a SecureGateError, with the token's own word for it. */
export function asHsmError(error: unknown): SecureGateError {
  if (error instanceof SecureGateError) return error;
  if (!(error instanceof pkcs11.NativeError) && codeOf(error) === undefined) return SecureGateError.from(error);
  const code = remedyFor(error) === 'reconnect' ? 'hsm_unavailable' : 'hsm_refused';
  const { message, method } = error as pkcs11.NativeError;
  return new SecureGateError(code, `The HSM answered ${message}`, { cause: error, details: { method } });
}

/** The token's answer (`CKR_…:5`). Some functions throw it in a plain Error. */
function codeOf(error: unknown): number | undefined {
  if (error instanceof pkcs11.Pkcs11Error) return error.code;
  const [, code] = (error instanceof Error && /^CKR_\w+:(\d+)/.exec(error.message)) || [];
  return code === undefined ? undefined : Number(code);
}
