import type { LiveSize } from '../../api/schemas/streams.ts';
import { path } from './path.ts';
import { query } from './query.ts';
import { request } from './request.ts';
import type { Camera, CameraPatch, CameraSettings, CameraTest, Page } from './types.ts';

export const cameras = {
  list: (tenant: string, signal: AbortSignal) => request<Page<Camera>>('GET', path`/v1/tenants/${tenant}/cameras`, { signal }),
  add: (tenant: string, settings: CameraSettings, idempotencyKey: string) =>
    request<Camera>('POST', path`/v1/tenants/${tenant}/cameras`, { body: settings, idempotencyKey }),
  change: (tenant: string, camera: Camera, patch: CameraPatch) =>
    request<Camera>('PATCH', path`/v1/tenants/${tenant}/cameras/${camera.id}`, { body: patch, version: camera.version }),
  remove: (tenant: string, camera: Camera) =>
    request<void>('DELETE', path`/v1/tenants/${tenant}/cameras/${camera.id}`, { version: camera.version }),
  /** Opens the address and takes one picture. */
  test: (tenant: string, url: string, signal: AbortSignal) =>
    request<CameraTest>('POST', path`/v1/tenants/${tenant}/cameras/test`, { body: { url }, signal }),
  /** @param keys of the cameras, see {@link cameraKey} */
  livePath: (keys: readonly string[], size: LiveSize) => `/v1/live${query({ cameras: keys.join(','), size })}`,
};
