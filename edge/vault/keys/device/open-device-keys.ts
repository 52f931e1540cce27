import { Tpm } from '../tpm/tpm.ts';
import type { DeviceKeys } from './device-keys.ts';
import { type DeviceKeysPlace, FileDeviceKeys } from './file-device-keys.ts';
import { TpmDeviceKeys } from './tpm-device-keys.ts';

/** Where the keys of a box are: in files, or in the TPM with this TCTI. One never stands in for the other. */
export type DeviceKeysHome = { readonly in: 'file' } | { readonly in: 'tpm'; readonly tcti: string };

/** @throws {SecureGateError} those of the two drivers */
export async function openDeviceKeys(place: DeviceKeysPlace, home: DeviceKeysHome): Promise<DeviceKeys> {
  return home.in === 'tpm' ? await TpmDeviceKeys.open(place, new Tpm(home.tcti)) : FileDeviceKeys.open(place);
}
