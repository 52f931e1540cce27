import { path } from './path.ts';
import { query } from './query.ts';
import { request } from './request.ts';
import type { Page, Sighting } from './types.ts';

export type SightingsFilter = {
  readonly camera?: string;
  readonly outcome?: Sighting['outcome'];
  readonly customerId?: string;
  readonly cursor?: string;
  readonly limit?: number;
};

export const sightings = {
  /** Newest first. */
  list: (tenant: string, filter: SightingsFilter, signal: AbortSignal) =>
    request<Page<Sighting>>('GET', path`/v1/tenants/${tenant}/sightings` + query(filter), { signal }),
  streamPath: (tenant: string) => path`/v1/tenants/${tenant}/sightings/stream`,
  picturePath: (tenant: string, id: string) => path`/v1/tenants/${tenant}/sightings/${id}/picture`,
};
