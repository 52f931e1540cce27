import pkcs11 from 'pkcs11js';
import type { DeviceKey } from '../device-key.ts';
import { type Cell, type SigningUse, TRANSPORT_KEY_BITS } from '../hsm.ts';

/**
 * Attributes of every object that the KMS makes or asks for (PKCS#11 v2.40). A token takes a usage that is not named for
 * allowed, so that each of them is named: otherwise a key that wraps others would also decrypt them into the open.
 */
export type Attributes = pkcs11.Template;

/** CKA_ID of a cell. Ids of orgs and tenants hold no slash. */
export function cellId({ org, tenant, epoch }: Cell): Buffer {
  return Buffer.from(`${org}/${tenant}/${epoch}`);
}

/** The key that wraps a tenant's keys: made on the token, never to leave it, good for nothing else. */
export function newCell(cell: Cell): Attributes {
  return template({
    ...SECRET_AES,
    ...NO_USAGE,
    CKA_VALUE_LEN: 32,
    CKA_TOKEN: true,
    CKA_SENSITIVE: true,
    CKA_EXTRACTABLE: false,
    CKA_MODIFIABLE: false,
    CKA_COPYABLE: false,
    CKA_WRAP: true,
    CKA_UNWRAP: true,
    CKA_ID: cellId(cell),
    CKA_LABEL: 'securegate cell',
  });
}

export function cellOf(cell: Cell): Attributes {
  return template({ CKA_CLASS: pkcs11.CKO_SECRET_KEY, CKA_TOKEN: true, CKA_ID: cellId(cell) });
}

/** What a cell must still be when it is used: whoever holds the PIN could have put a key that he knows in its place. */
export const CELL_MUST_BE = {
  CKA_LOCAL: true,
  CKA_ALWAYS_SENSITIVE: true,
  CKA_NEVER_EXTRACTABLE: true,
  CKA_WRAP: true,
  CKA_UNWRAP: true,
  CKA_ENCRYPT: false,
  CKA_DECRYPT: false,
} as const satisfies Partial<Record<AttributeName, boolean>>;

/** A tenant key at its making: for the one call in which it is wrapped. It could not ask for a trusted key here, since cells are none. */
export function newTek(): Attributes {
  return template({ ...SECRET_AES, ...NO_USAGE, ...FOR_ONE_CALL, CKA_VALUE_LEN: 32 });
}

/** A tenant key that was made before, for one call. The length is the token's to find out. */
export function openedTek(): Attributes {
  return template({ ...SECRET_AES, ...NO_USAGE, ...FOR_ONE_CALL });
}

/** A tenant key on its way to a device: from here on the token itself wraps it to keys alone that its security officer trusts. */
export function exportedTek(): Attributes {
  return template({ ...SECRET_AES, ...NO_USAGE, ...FOR_ONE_CALL, CKA_WRAP_WITH_TRUSTED: true });
}

/** A device's key as the security officer puts it on the token. */
export function newTrustedKey(key: DeviceKey): Attributes {
  return template({
    ...RSA_PUBLIC,
    CKA_TOKEN: true,
    CKA_PRIVATE: false,
    CKA_MODIFIABLE: false,
    CKA_TRUSTED: true,
    CKA_ENCRYPT: false,
    CKA_VERIFY: false,
    CKA_VERIFY_RECOVER: false,
    CKA_DERIVE: false,
    CKA_WRAP: true,
    CKA_ID: Buffer.from(key.fingerprint),
    CKA_LABEL: 'securegate device',
    CKA_MODULUS: key.modulus,
    CKA_PUBLIC_EXPONENT: key.exponent,
  });
}

/** Trusted device keys: all, or that of one fingerprint. */
export function trustedKeys(fingerprint?: string): Attributes {
  return template({
    ...RSA_PUBLIC,
    CKA_TOKEN: true,
    CKA_TRUSTED: true,
    ...(fingerprint === undefined ? {} : { CKA_ID: Buffer.from(fingerprint) }),
  });
}

/** A device key that is trusted by nobody, to find out what the token can do. */
export function trialKey(key: DeviceKey): Attributes {
  return template({
    ...RSA_PUBLIC,
    CKA_TOKEN: false,
    CKA_PRIVATE: false,
    CKA_ENCRYPT: false,
    CKA_VERIFY: false,
    CKA_WRAP: true,
    CKA_MODULUS: key.modulus,
    CKA_PUBLIC_EXPONENT: key.exponent,
  });
}

/** The number of the last change of the KMS's records. Private: the security officer can neither see nor make one. */
export function newRecordsVersion(version: number): Attributes {
  const value = Buffer.alloc(8);
  value.writeBigUInt64BE(BigInt(version));
  return [...recordsVersions(), ...template({ CKA_MODIFIABLE: false, CKA_VALUE: value })];
}

export function recordsVersions(): Attributes {
  return template({ CKA_CLASS: pkcs11.CKO_DATA, CKA_TOKEN: true, CKA_PRIVATE: true, CKA_LABEL: 'securegate records' });
}

/** The security officer's word that records of one number will do where another one is counted. Public: he can make no other. */
export function acceptedRecords(records: number, counted: number): Attributes {
  return template({
    CKA_CLASS: pkcs11.CKO_DATA,
    CKA_TOKEN: true,
    CKA_PRIVATE: false,
    CKA_LABEL: 'securegate accepted records',
    CKA_VALUE: Buffer.from(`${records}/${counted}`),
  });
}

/** A signing key pair on P-256. */
export function newSigningPair(use: SigningUse): { publicKey: Attributes; privateKey: Attributes } {
  const both = { CKA_KEY_TYPE: pkcs11.CKK_EC, CKA_TOKEN: true, CKA_MODIFIABLE: false, CKA_DERIVE: false, CKA_ID: signingId(use) };
  return {
    publicKey: template({
      ...both,
      CKA_CLASS: pkcs11.CKO_PUBLIC_KEY,
      CKA_PRIVATE: false,
      CKA_ENCRYPT: false,
      CKA_WRAP: false,
      CKA_VERIFY: true,
      CKA_VERIFY_RECOVER: false,
      // The curve P-256 as an object identifier in DER.
      CKA_EC_PARAMS: Buffer.from('06082a8648ce3d030107', 'hex'),
    }),
    privateKey: template({
      ...both,
      CKA_CLASS: pkcs11.CKO_PRIVATE_KEY,
      CKA_PRIVATE: true,
      CKA_SENSITIVE: true,
      CKA_EXTRACTABLE: false,
      CKA_DECRYPT: false,
      CKA_UNWRAP: false,
      CKA_SIGN: true,
      CKA_SIGN_RECOVER: false,
    }),
  };
}

export function signingPublicKey(use: SigningUse): Attributes {
  return template({ CKA_CLASS: pkcs11.CKO_PUBLIC_KEY, CKA_TOKEN: true, CKA_ID: signingId(use) });
}

export const signingPublicKeys: Attributes = template({ CKA_CLASS: pkcs11.CKO_PUBLIC_KEY, CKA_TOKEN: true, CKA_KEY_TYPE: pkcs11.CKK_EC });

export function signingPrivateKey(use: SigningUse): Attributes {
  return template({ CKA_CLASS: pkcs11.CKO_PRIVATE_KEY, CKA_TOKEN: true, CKA_ID: signingId(use) });
}

/** A key pair to which boxes wrap an org's tenant keys: it opens them inside the token, and does nothing else. */
export function newTransportPair(org: string): { publicKey: Attributes; privateKey: Attributes } {
  const both = { CKA_KEY_TYPE: pkcs11.CKK_RSA, CKA_TOKEN: true, CKA_MODIFIABLE: false, CKA_DERIVE: false, CKA_ID: transportId(org) };
  return {
    publicKey: template({
      ...both,
      CKA_CLASS: pkcs11.CKO_PUBLIC_KEY,
      CKA_PRIVATE: false,
      CKA_ENCRYPT: false,
      CKA_VERIFY: false,
      CKA_VERIFY_RECOVER: false,
      CKA_WRAP: false,
      CKA_LABEL: 'securegate transport',
      CKA_MODULUS_BITS: TRANSPORT_KEY_BITS,
      CKA_PUBLIC_EXPONENT: Buffer.from('010001', 'hex'),
    }),
    privateKey: template({
      ...both,
      CKA_CLASS: pkcs11.CKO_PRIVATE_KEY,
      CKA_PRIVATE: true,
      CKA_SENSITIVE: true,
      CKA_EXTRACTABLE: false,
      CKA_DECRYPT: false,
      CKA_SIGN: false,
      CKA_SIGN_RECOVER: false,
      CKA_UNWRAP: true,
    }),
  };
}

export function transportPublicKey(org: string): Attributes {
  return template({ ...RSA_PUBLIC, CKA_TOKEN: true, CKA_ID: transportId(org) });
}

export function transportPrivateKey(org: string): Attributes {
  return template({ CKA_CLASS: pkcs11.CKO_PRIVATE_KEY, CKA_TOKEN: true, CKA_ID: transportId(org) });
}

export type AttributeName = Extract<keyof typeof pkcs11, `CKA_${string}`>;

/** Attributes by their names in the standard. */
export function template(values: Readonly<Partial<Record<AttributeName, number | boolean | string | Buffer>>>): Attributes {
  return Object.entries(values).map(([name, value]) => ({ type: pkcs11[name as AttributeName], value }));
}

/** Use, and generation from the second one on. */
export const SIGNING_ID = /^signing\/([a-z]+)(?:-(\d+))?$/;

/** A cell's id has two slashes, so that this is none. */
function signingId(use: SigningUse): Buffer {
  return Buffer.from(`signing/${use}`);
}

function transportId(org: string): Buffer {
  return Buffer.from(`transport/${org}`);
}

const SECRET_AES = { CKA_CLASS: pkcs11.CKO_SECRET_KEY, CKA_KEY_TYPE: pkcs11.CKK_AES, CKA_PRIVATE: true } as const;
const RSA_PUBLIC = { CKA_CLASS: pkcs11.CKO_PUBLIC_KEY, CKA_KEY_TYPE: pkcs11.CKK_RSA } as const;
const NO_USAGE = {
  CKA_ENCRYPT: false,
  CKA_DECRYPT: false,
  CKA_SIGN: false,
  CKA_VERIFY: false,
  CKA_DERIVE: false,
  CKA_WRAP: false,
  CKA_UNWRAP: false,
} as const;
/** An object of the session, not of the token. SENSITIVE: not even who holds the PIN reads its value. */
const FOR_ONE_CALL = { CKA_TOKEN: false, CKA_SENSITIVE: true, CKA_EXTRACTABLE: true } as const;
