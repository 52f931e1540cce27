import pkcs11 from 'pkcs11js';
import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';

export interface TokenOptions {
  /** Path of the token's PKCS#11 library. */
  readonly library: string;
  /** Label of the token. */
  readonly token: string;
}

/** A token that is there, behind its initialised library. Nobody is logged in yet. */
export interface Token {
  readonly module: pkcs11.PKCS11;
  readonly slot: pkcs11.Handle;
  /** Maker and model, as the library says. */
  readonly title: string;
  close(): void;
}

/** A PKCS#11 library that is ready. @throws {SecureGateError} `hsm_unavailable` */
export function openLibrary(library: string): { module: pkcs11.PKCS11; close: () => void } {
  const module = new pkcs11.PKCS11();
  try {
    module.load(library);
    // Calls run in several threads.
    module.C_Initialize({ flags: pkcs11.CKF_OS_LOCKING_OK });
  } catch (cause) {
    throw new SecureGateError('hsm_unavailable', 'The PKCS#11 library cannot be used', { cause, details: { library } });
  }
  const close = (): void => {
    module.C_Finalize();
    module.close();
  };
  return { module, close };
}

/** @throws {SecureGateError} `hsm_unavailable` */
export function openToken({ library, token }: TokenOptions): Token {
  const { module, close } = openLibrary(library);
  try {
    const slots = module.C_GetSlotList(true).filter((slot) => module.C_GetTokenInfo(slot).label.trim() === token);
    const [slot] = slots;
    if (slot === undefined || slots.length > 1) {
      throw new SecureGateError('hsm_unavailable', 'There is not exactly one token of this label', {
        details: { token, found: slots.length },
      });
    }
    const { manufacturerID, libraryVersion } = module.C_GetInfo();
    const title = `${manufacturerID.trim()} ${libraryVersion.major}.${libraryVersion.minor} (PKCS#11)`;
    return { module, slot, title, close };
  } catch (error) {
    close();
    throw error;
  }
}
