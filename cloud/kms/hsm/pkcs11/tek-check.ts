import pkcs11 from 'pkcs11js';
import { type Cell, tekCheckPrefix } from '../hsm.ts';
import type { Session } from './session.ts';

const SHA256_BYTES = 32;

/** The check value of a tenant key, hashed inside the token (PKCS#11 `C_DigestKey`): the key itself needs no usage for it. */
export function checkValueOf({ module, handle }: Session, cell: Cell, tek: pkcs11.Handle): Buffer {
  module.C_DigestInit(handle, { mechanism: pkcs11.CKM_SHA256 });
  module.C_DigestUpdate(handle, tekCheckPrefix(cell));
  module.C_DigestKey(handle, tek);
  return module.C_DigestFinal(handle, Buffer.alloc(SHA256_BYTES));
}
