import { z } from 'zod';
import { idSchema, slugSchema } from '../ids/ids.ts';

/** An address in which nobody is named: before the host there is no `user:password@`. */
const address = z
  .string()
  .max(500)
  .regex(/^rtsps?:\/\/[^\s/?#@]+(?:[/?#]\S*)?$/, {
    error: 'not an rtsp:// or rtsps:// address without user and password: these stay on the box, which `credential` names',
  });

const tiles = z.strictObject({
  columns: z.int().min(1).max(8),
  rows: z.int().min(1).max(8),
  overlap: z.number().min(0).max(0.5),
});

/** What the control plane can say of a camera. */
export const cameraFieldsSchema = z.strictObject({
  slug: slugSchema,
  title: z.string().min(1).max(100).nullable(),
  url: address.describe('Where the box reaches it, without user and password.'),
  fps: z.number().min(0.2).max(30).describe('Pictures a second that are analysed.'),
  tiles: tiles.nullable().describe('Also look for small faces on overlapping tiles of the picture.'),
  credential: slugSchema
    .nullable()
    .describe(
      'Under which name user and password lie on the box: securegate camera-credential set NAME --host HOST. They never come here.',
    ),
});
export type CameraFields = z.output<typeof cameraFieldsSchema>;

/** A camera that a box should have. */
export const desiredCameraSchema = cameraFieldsSchema.extend({ id: idSchema('record') });
export type DesiredCamera = z.output<typeof desiredCameraSchema>;
