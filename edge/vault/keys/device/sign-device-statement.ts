import { createHash, createPublicKey } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { deviceFingerprint } from '../../../../shared/fleet/device-fingerprint.ts';
import { DEVICE_STATEMENT_TYPE, type DeviceStatement, FLEET_AUDIENCE } from '../../../../shared/fleet/device-statement.ts';
import type { DeviceKeysPlace } from './file-device-keys.ts';
import { type DeviceKeysHome, openDeviceKeys } from './open-device-keys.ts';

export interface SignedStatement {
  readonly statement: string;
  /** Of both keys, for people to compare. */
  readonly fingerprint: string;
}

/**
 * Signs what a box says of itself when it enrols: for a command line in a process of its own.
 * @throws {SecureGateError} those of the drivers
 */
export async function signDeviceStatement(
  place: DeviceKeysPlace,
  tpm: DeviceKeysHome | undefined,
  { name, csr }: Pick<DeviceStatement, 'name' | 'csr'>,
): Promise<SignedStatement> {
  const keys = await openDeviceKeys(place, tpm);
  const wrapKey = createPublicKey(keys.wrapKey).export({ type: 'spki', format: 'der' });
  const claims: DeviceStatement = { aud: FLEET_AUDIENCE, sub: keys.id, name, wrap: wrapKey.toString('base64url'), csr };
  const wrap = createHash('sha256').update(wrapKey).digest('base64url');
  return {
    statement: await keys.sign(DEVICE_STATEMENT_TYPE, claims),
    fingerprint: deviceFingerprint(wrap, await calculateJwkThumbprint(keys.signingKey)),
  };
}
