import pkcs11 from 'pkcs11js';
import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';
import { WRAPPED_TEK_BYTES } from '../hsm.ts';
import { isRefusal } from './as-hsm-error.ts';
import type { Attributes } from './attributes.ts';
import type { Session } from './session.ts';

/** AES key wrap with padding (RFC 5649, PKCS#11 `CKM_AES_KEY_WRAP_PAD`). It has no nonce: the same key gives the same bytes. */
const KEY_WRAP = { mechanism: pkcs11.CKM_AES_KEY_WRAP_PAD };

/** What tokens say to bytes that were not wrapped to this key; SoftHSM says GENERAL_ERROR. */
export const NOT_OURS: ReadonlySet<number> = new Set([
  pkcs11.CKR_DATA_INVALID,
  pkcs11.CKR_ENCRYPTED_DATA_INVALID,
  pkcs11.CKR_FUNCTION_FAILED,
  pkcs11.CKR_GENERAL_ERROR,
  pkcs11.CKR_WRAPPED_KEY_INVALID,
  pkcs11.CKR_WRAPPED_KEY_LEN_RANGE,
]);

/** Wraps a tenant key under its cell. */
export async function wrapKey(session: Session, cell: pkcs11.Handle, tek: pkcs11.Handle): Promise<Buffer> {
  return await session.module.C_WrapKeyAsync(session.handle, KEY_WRAP, cell, tek, Buffer.alloc(2 * WRAPPED_TEK_BYTES));
}

/** @throws {SecureGateError} `tek_rejected` */
export async function unwrapKey(session: Session, cell: pkcs11.Handle, wrapped: Buffer, as: Attributes): Promise<pkcs11.Handle> {
  if (wrapped.length !== WRAPPED_TEK_BYTES) throw rejected();
  try {
    return await session.module.C_UnwrapKeyAsync(session.handle, KEY_WRAP, cell, wrapped, as);
  } catch (cause) {
    throw isRefusal(cause, NOT_OURS) ? rejected(cause) : cause;
  }
}

function rejected(cause?: unknown): SecureGateError {
  return new SecureGateError('tek_rejected', 'The wrapped tenant key does not open under its cell', { cause });
}
