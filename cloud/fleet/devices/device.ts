import { z } from 'zod';
import { deviceNameSchema } from '../../../shared/fleet/device-statement.ts';
import { DEVICE_STATES } from '../../../shared/fleet/enrolment.ts';
import { idSchema, slugSchema } from '../../../shared/ids/ids.ts';

export const deviceSchema = z
  .strictObject({
    id: idSchema('box'),
    org: slugSchema,
    name: deviceNameSchema,
    state: z
      .enum(DEVICE_STATES)
      .describe('`awaiting-approval` until an admin of the org assigns it to a tenant; `denied` for ever; `left` until it enrols anew.'),
    fingerprint: z.string().describe('Of both its keys: compare it with what `securegate status` shows on the box before you assign it.'),
    wrap: z.string().describe('Fingerprint of the RSA key to which tenant keys are wrapped.'),
    wrapKey: z.string().describe('That key (PEM), for the security officer of the KMS.'),
    jkt: z.string().describe('Thumbprint (RFC 7638) of the key by which it signs.'),
    certificateEnds: z.iso.datetime().nullable().describe('When its newest certificate ends.'),
    version: z.int(),
    enrolledAt: z.iso.datetime(),
  })
  .meta({ id: 'Device' });
export type Device = z.output<typeof deviceSchema>;
