import type { Camera } from '../api/types.ts';

/** A camera and whose it is. */
export interface TenantCamera {
  readonly tenant: string;
  readonly camera: Camera;
}
