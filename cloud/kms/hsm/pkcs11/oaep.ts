import { generateKeyPairSync } from 'node:crypto';
import pkcs11 from 'pkcs11js';
import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';
import { deviceKeyOf } from '../device-key.ts';
import type { HsmCapabilities } from '../hsm.ts';
import { isRefusal } from './as-hsm-error.ts';
import { newTek, openedTek, trialKey } from './attributes.ts';
import { NOT_OURS } from './key-wrap.ts';
import type { Session } from './session.ts';

type OaepHash = HsmCapabilities['oaepHash'];

/** As long as the longest modulus of a device key. */
const LONGEST_BYTES = 512;

/** Wraps a key for a device: RSAES-OAEP (RFC 8017) with an empty label. */
export async function wrapForDevice(session: Session, device: pkcs11.Handle, tek: pkcs11.Handle, hash: OaepHash): Promise<Buffer> {
  return await session.module.C_WrapKeyAsync(session.handle, oaep(hash), device, tek, Buffer.alloc(LONGEST_BYTES));
}

/** Opens inside the token what a box wrapped in the same way. @throws {SecureGateError} `tek_rejected` */
export async function unwrapFromBox(session: Session, transport: pkcs11.Handle, wrapped: Buffer, hash: OaepHash): Promise<pkcs11.Handle> {
  try {
    return await session.module.C_UnwrapKeyAsync(session.handle, oaep(hash), transport, wrapped, openedTek());
  } catch (cause) {
    if (!isRefusal(cause, NOT_OURS)) throw cause;
    throw new SecureGateError('tek_rejected', 'What a box handed over does not open', { cause });
  }
}

/** The best hash for OAEP that the token takes, found out by wrapping a key that is thrown away: SoftHSM takes SHA-1 alone. */
export async function findOaepHash(session: Session): Promise<OaepHash> {
  const { n = '', e = '' } = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
  const trial = deviceKeyOf(Buffer.from(n, 'base64url'), Buffer.from(e, 'base64url'));
  const { module, handle } = session;
  const makeDevice = async (): Promise<pkcs11.Handle> => module.C_CreateObject(handle, trialKey(trial));
  const makeTek = (): Promise<pkcs11.Handle> => module.C_GenerateKeyAsync(handle, AES_KEY_GEN, newTek());
  return await session.withKey(makeDevice, (device) =>
    session.withKey(makeTek, async (tek) => {
      try {
        await wrapForDevice(session, device, tek, 'sha256');
        return 'sha256';
      } catch (error) {
        if (!isRefusal(error, UNKNOWN_HASH)) throw error;
        await wrapForDevice(session, device, tek, 'sha1');
        return 'sha1';
      }
    }),
  );
}

export const AES_KEY_GEN = { mechanism: pkcs11.CKM_AES_KEY_GEN };

const UNKNOWN_HASH: ReadonlySet<number> = new Set([
  pkcs11.CKR_ARGUMENTS_BAD,
  pkcs11.CKR_MECHANISM_PARAM_INVALID,
  pkcs11.CKR_MECHANISM_INVALID,
]);

function oaep(hash: OaepHash): pkcs11.Mechanism {
  const [hashAlg, mgf] = hash === 'sha256' ? [pkcs11.CKM_SHA256, pkcs11.CKG_MGF1_SHA256] : [pkcs11.CKM_SHA_1, pkcs11.CKG_MGF1_SHA1];
  const parameter: pkcs11.RsaOAEP = { type: pkcs11.CK_PARAMS_RSA_OAEP, hashAlg, mgf, source: CKZ_DATA_SPECIFIED };
  return { mechanism: pkcs11.CKM_RSA_PKCS_OAEP, parameter };
}

const CKZ_DATA_SPECIFIED = 1;
