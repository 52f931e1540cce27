import pkcs11 from 'pkcs11js';
import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';
import { openLibrary } from './open-token.ts';

export interface NewToken {
  readonly library: string;
  /** Label of the token. */
  readonly token: string;
  readonly soPin: Buffer;
  readonly pin: Buffer;
}

/**
 * Makes a token in a slot that has none, with its two PINs (PKCS#11 C_InitToken, C_InitPIN). It has to hold both once; afterwards no
 * process has both.
 * @throws {SecureGateError} `hsm_unavailable`, `hsm_refused`, `conflict` when there is a token of this label
 */
export function initToken({ library, token, soPin, pin }: NewToken): void {
  const { module, close } = openLibrary(library);
  try {
    const slots = module.C_GetSlotList(true).map((slot) => ({ slot, ...module.C_GetTokenInfo(slot) }));
    if (slots.some(({ label, flags }) => isInitialised(flags) && label.trim() === token)) {
      throw new SecureGateError('conflict', 'There is a token of this label', { details: { token } });
    }
    const free = slots.find(({ flags }) => !isInitialised(flags));
    if (free === undefined) throw new SecureGateError('hsm_unavailable', 'No slot is free for a token');
    // The label is 32 bytes, padded with blanks.
    module.C_InitToken(free.slot, soPin.toString('latin1'), token.padEnd(32));
    // SoftHSM gives a token another slot when it is made.
    const made = module.C_GetSlotList(true).find((slot) => module.C_GetTokenInfo(slot).label.trim() === token);
    if (made === undefined) throw new SecureGateError('hsm_refused', 'The token that was made is not there');
    const session = module.C_OpenSession(made, pkcs11.CKF_SERIAL_SESSION | pkcs11.CKF_RW_SESSION);
    module.C_Login(session, pkcs11.CKU_SO, soPin.toString('latin1'));
    module.C_InitPIN(session, pin.toString('latin1'));
    module.C_CloseSession(session);
  } catch (error) {
    throw SecureGateError.from(error, 'hsm_refused');
  } finally {
    close();
  }
}

function isInitialised(flags: number): boolean {
  return (flags & pkcs11.CKF_TOKEN_INITIALIZED) !== 0;
}
