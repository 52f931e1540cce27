import type { Selectable } from 'kysely';
import { z } from 'zod';
import { type CameraFields, cameraFieldsSchema } from '../../../shared/fleet/desired-camera.ts';
import { idSchema, slugSchema } from '../../../shared/ids/ids.ts';
import type { Database } from '../../store/database.ts';

const DOOR = { slug: 'main-door', title: 'Main door', url: 'rtsp://192.168.10.21:554/stream1', fps: 5, tiles: null, credential: 'door' };
const { title, fps, tiles, credential } = cameraFieldsSchema.shape;

export const newCameraSchema = cameraFieldsSchema
  .extend({
    device: idSchema('box'),
    title: title.default(null),
    fps: fps.default(5),
    tiles: tiles.default(null),
    credential: credential.default(null),
  })
  .meta({ id: 'NewDesiredCamera', examples: [{ device: 'box_aaaaaaaaaaaaaaaaaaaaaaaaaa', ...DOOR }] });

/** A change names what is to change; a camera stays with its box. */
export const cameraPatchSchema = cameraFieldsSchema.partial().meta({ id: 'DesiredCameraPatch', examples: [{ fps: 8 }] });

export const cameraSchema = cameraFieldsSchema
  .extend({ id: idSchema('record'), tenant: slugSchema, device: idSchema('box'), version: z.int(), createdAt: z.iso.datetime() })
  .meta({
    id: 'DesiredCamera',
    examples: [
      {
        ...{ id: 'rec_aaaaaaaaaaaaaaaaaaaaaaaaaa', tenant: 'main-hall', device: 'box_aaaaaaaaaaaaaaaaaaaaaaaaaa', ...DOOR },
        version: 1,
        createdAt: '2026-11-22T10:00:00.000Z',
      },
    ],
  });
export type Camera = z.output<typeof cameraSchema>;

export type CameraRow = Selectable<Database['cameras']>;

export function columnsOf({ slug, ...settings }: CameraFields): Pick<CameraRow, 'slug' | 'settings'> {
  return { slug, settings: JSON.stringify(settings) };
}

export function fieldsOf({ slug, settings }: CameraRow): CameraFields {
  return cameraFieldsSchema.parse({ slug, ...(JSON.parse(settings) as object) });
}

export function viewOf(row: CameraRow): Camera {
  const { id, tenant, device, version, created_at } = row;
  return cameraSchema.parse({ id, tenant, device, ...fieldsOf(row), version, createdAt: new Date(created_at).toISOString() });
}
