import { contentOf } from '../../shared/cloud-client/create-cloud-client.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { deviceFingerprint } from '../../shared/fleet/device-fingerprint.ts';
import { idSchema } from '../../shared/ids/ids.ts';
import { type CloudOptions, openCloud } from '../cloud/open-cloud.ts';
import { readDevice } from './read-device.ts';

export interface DeviceToAssign {
  readonly id: string;
  readonly wrap: string;
  readonly jkt: string;
}

/**
 * The keys of a box: out of a file that came from it, or as the control plane tells them. The control plane is believed only where
 * somebody has compared the fingerprint with what the box itself shows: otherwise it could put keys of its own in their place.
 * @param device a file, or the id of an enrolled box
 * @throws {SecureGateError} `file_unreadable`, `usage` (the fingerprint is missing), `fingerprint_differs`, and the control plane's own
 */
export async function findDevice(
  cloud: CloudOptions,
  org: string,
  device: string,
  fingerprint: string | undefined,
): Promise<DeviceToAssign> {
  if (!idSchema('box').safeParse(device).success) return readDevice(device);
  const call = (await openCloud(cloud)).GET('/v1/orgs/{org}/devices/{id}', { params: { path: { org, id: device } } });
  const { id, wrap, jkt } = await contentOf(call);
  const told = deviceFingerprint(wrap, jkt);
  if (fingerprint === told) return { id, wrap, jkt };
  if (fingerprint !== undefined) {
    throw new SecureGateError(
      'fingerprint_differs',
      'The control plane tells other keys than the fingerprint is of: do not assign this box',
      {
        details: { device, told },
      },
    );
  }
  const message = `Compare ${told} with what \`securegate status\` shows on the box. If both are the same, repeat this with --fingerprint ${told}`;
  throw new SecureGateError('usage', message, { details: { device } });
}
