import { z } from 'zod';
import { DEVICE_STATES } from '../../../shared/fleet/enrolment.ts';
import { idSchema, slugSchema } from '../../../shared/ids/ids.ts';
import { nameSchema } from '../../../shared/ids/name-schema.ts';

/** A change names what is to change. Which sets a box has, it knows itself. */
export const devicePatchSchema = z
  .strictObject({ name: nameSchema, models: slugSchema.nullable() })
  .partial()
  .meta({ id: 'DevicePatch', examples: [{ name: 'Main hall, rack 2' }, { models: 'scrfd-10g' }, { models: null }] });

export const deviceSchema = z
  .strictObject({
    id: idSchema('box'),
    org: slugSchema,
    name: nameSchema,
    state: z
      .enum(DEVICE_STATES)
      .describe('`awaiting-approval` until an admin of the org assigns it to a tenant; `denied` for ever; `left` until it enrols anew.'),
    fingerprint: z.string().describe('Of both its keys: compare it with what `securegate status` shows on the box before you assign it.'),
    wrap: z.string().describe('Fingerprint of the RSA key to which tenant keys are wrapped.'),
    wrapKey: z.string().describe('That key (PEM), for the security officer of the KMS.'),
    jkt: z.string().describe('Thumbprint (RFC 7638) of the key by which it signs.'),
    models: slugSchema
      .nullable()
      .describe('Model set by which it should detect and recognise; null for its own. How far it is with that, its state says.'),
    certificateEnds: z.iso.datetime().nullable().describe('When its newest certificate ends.'),
    version: z.int(),
    enrolledAt: z.iso.datetime(),
  })
  .meta({
    id: 'Device',
    examples: [
      {
        id: 'box_aaaaaaaaaaaaaaaaaaaaaaaaaa',
        org: 'acme',
        name: 'Main hall, rack 2',
        state: 'active',
        fingerprint: 'k3m2-q7ab',
        wrap: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU',
        wrapKey: '-----BEGIN PUBLIC KEY-----\n…\n-----END PUBLIC KEY-----\n',
        jkt: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs',
        models: null,
        certificateEnds: '2026-12-06T10:00:00.000Z',
        version: 2,
        enrolledAt: '2026-11-22T10:00:00.000Z',
      },
    ],
  });
export type Device = z.output<typeof deviceSchema>;
