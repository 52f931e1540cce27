import { cameras } from '../api/cameras.ts';
import { type Loaded, useLoad } from '../hooks/use-load.ts';
import type { TenantCamera } from './tenant-camera.ts';

/** The cameras of these venues with their present state, venue by venue. */
export function useAllCameras(tenants: readonly string[]): Loaded<readonly TenantCamera[]> {
  return useLoad(
    `cameras ${tenants.join(' ')}`,
    async (signal) => {
      const lists = await Promise.all(
        tenants.map(async (tenant) => (await cameras.list(tenant, signal)).items.map((camera) => ({ tenant, camera }))),
      );
      return lists.flat();
    },
    4000,
  );
}
