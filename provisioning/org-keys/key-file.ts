import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { calculateJwkThumbprint } from 'jose';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { type PublicKey, publicKeySchema } from '../../shared/lease/public-key.ts';

/** A key of somebody who decides for an org. `privateKey` is there only where the file holds it. */
export interface OrgKey {
  readonly publicKey: PublicKey;
  readonly privateKey?: KeyObject;
  /** RFC 7638. */
  readonly thumbprint: string;
}

/** Makes a key (EC P-256) in a new file for its owner alone. @throws {SecureGateError} `conflict` when the file is there */
export async function makeKeyFile(file: string): Promise<OrgKey> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  try {
    writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    throw new SecureGateError('conflict', 'The file of the key cannot be made, or is there already', { cause, details: { file } });
  }
  return await readKeyFile(file);
}

/**
 * Reads a private key, or just the public one of somebody else.
 * @throws {SecureGateError} `file_unreadable`
 */
export async function readKeyFile(file: string): Promise<OrgKey> {
  try {
    const pem = readFileSync(file, 'utf8');
    const privateKey = pem.includes('PRIVATE KEY') ? createPrivateKey(pem) : undefined;
    const publicKey = publicKeySchema.parse(createPublicKey(privateKey ?? pem).export({ format: 'jwk' }));
    const thumbprint = await calculateJwkThumbprint(publicKey);
    return { publicKey, thumbprint, ...(privateKey === undefined ? {} : { privateKey }) };
  } catch (cause) {
    throw new SecureGateError('file_unreadable', 'This is not a key on P-256 in PEM', { cause, details: { file } });
  }
}

/** @throws {SecureGateError} `file_unreadable` when the file holds the public key alone */
export function requirePrivate({ privateKey, thumbprint }: OrgKey): KeyObject {
  if (privateKey === undefined) throw new SecureGateError('file_unreadable', 'This file holds no private key', { details: { thumbprint } });
  return privateKey;
}
