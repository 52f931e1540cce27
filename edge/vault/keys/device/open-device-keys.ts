import { Tpm } from '../../../runtime/tpm/tpm.ts';
import type { DeviceKeys } from './device-keys.ts';
import { type DeviceKeysPlace, FileDeviceKeys } from './file-device-keys.ts';
import { TpmDeviceKeys } from './tpm-device-keys.ts';

/** The box's TPM, and whether the keys are in it. */
export interface DeviceKeysHome {
  readonly deviceKeys: 'file' | 'tpm';
  readonly tcti: string;
}

/**
 * Opens the keys where the configuration says that they are: one place never stands in for the other.
 * @param tpm undefined on a box that uses none
 * @throws {SecureGateError} those of the two drivers
 */
export async function openDeviceKeys(place: DeviceKeysPlace, tpm: DeviceKeysHome | undefined): Promise<DeviceKeys> {
  return tpm?.deviceKeys === 'tpm' ? await TpmDeviceKeys.open(place, new Tpm(tpm.tcti)) : FileDeviceKeys.open(place);
}
