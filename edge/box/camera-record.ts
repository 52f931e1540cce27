import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { CameraSettings } from '../api/ports.ts';
import { VENUE_RECORDS } from '../api/schemas/venue.ts';

/** A camera's settings as they are stored in its tenant's vault: what is not set is left out. */
export function cameraRecord({ slug, title, url, fps, tiles, roomId }: CameraSettings): object {
  return { slug, url, fps, ...(title ? { title } : {}), ...(tiles ? { tiles } : {}), ...(roomId ? { roomId } : {}) };
}

/**
 * Settings of a camera that is added at run time. A path is refused: files of the box are the configuration file's to name,
 * not an API client's to read.
 * @throws {SecureGateError} `invalid_request`
 */
export function cameraSettings(value: unknown): CameraSettings {
  const parsed = VENUE_RECORDS.cameras.safeParse(value);
  if (!parsed.success) {
    // The address may hold a password: the fields are named, their values are not.
    const fields = parsed.error.issues.map(({ path }) => path.join('.'));
    throw new SecureGateError('invalid_request', `These settings of the camera are not valid: ${fields.join(', ')}`, {
      details: { fields },
    });
  }
  if (!/^rtsps?:\/\/[^/]/i.test(parsed.data.url) || !URL.canParse(parsed.data.url)) {
    throw new SecureGateError('invalid_request', 'The address of a camera begins with rtsp:// or rtsps://', {
      details: { fields: ['url'] },
    });
  }
  return parsed.data;
}
