import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { idSchema } from '../../shared/ids/ids.ts';

/** What `securegate device-keys show --json` tells of a box. */
const deviceSchema = z.object({
  id: idSchema('box'),
  /** Fingerprint of the RSA key to which tenant keys are wrapped. */
  wrap: z.string(),
  /** Thumbprint (RFC 7638) of the key by which the box signs. */
  jkt: z.string(),
});

/** @throws {SecureGateError} `file_unreadable` */
export function readDevice(file: string): z.output<typeof deviceSchema> {
  try {
    return deviceSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new SecureGateError('file_unreadable', 'This is not what `securegate device-keys show --json` tells of a box', {
      cause,
      details: { file },
    });
  }
}
