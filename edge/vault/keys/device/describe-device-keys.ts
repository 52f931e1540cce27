import { createHash, createPublicKey } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { calculateJwkThumbprint } from 'jose';
import type { DeviceKeysPlace } from './file-device-keys.ts';
import { type DeviceKeysHome, openDeviceKeys } from './open-device-keys.ts';

/** What others have to know of a box's keys. Nothing in it is secret. */
export interface DeviceKeysDescription {
  /** `box_…`: claim `sub` of an assignment. */
  readonly id: string;
  readonly keptIn: 'file' | 'tpm';
  /** SHA-256 of the wrap key's SubjectPublicKeyInfo, base64url: claim `wrap` of an assignment. */
  readonly wrap: string;
  /** Thumbprint of the signing key (RFC 7638): claim `cnf.jkt` of an assignment. */
  readonly jkt: string;
  /** The wrap key, for the security officer of the KMS. */
  readonly pem: string;
}

/**
 * Opens a box's keys, makes them when there are none, and tells their public halves: for a command line in a process of its own.
 * @throws {SecureGateError} those of the drivers
 */
export async function describeDeviceKeys(place: DeviceKeysPlace, tpm: DeviceKeysHome | undefined): Promise<DeviceKeysDescription> {
  mkdirSync(place.dataDir, { recursive: true, mode: 0o700 });
  const { id, signingKey, wrapKey } = await openDeviceKeys(place, tpm);
  const der = createPublicKey(wrapKey).export({ type: 'spki', format: 'der' });
  const wrap = createHash('sha256').update(der).digest('base64url');
  return { id, keptIn: tpm?.deviceKeys ?? 'file', wrap, jkt: await calculateJwkThumbprint(signingKey), pem: wrapKey };
}
