import { path } from './path.ts';
import { query } from './query.ts';
import { request } from './request.ts';
import type { HeldPicture, Page, Sighting } from './types.ts';

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
  /** Known people who are before a camera now. */
  inView: (tenant: string, signal: AbortSignal) =>
    request<Page<Sighting>>('GET', path`/v1/tenants/${tenant}/sightings/in-view`, { signal }),
  /** Keeps the picture a little longer. */
  hold: (tenant: string, id: string, signal: AbortSignal) =>
    request<HeldPicture>('POST', path`/v1/tenants/${tenant}/sightings/${id}/hold`, { signal }),
  streamPath: (tenants: readonly string[]) => `/v1/sightings/stream${query({ tenants: tenants.join(',') })}`,
  picturePath: (tenant: string, id: string) => path`/v1/tenants/${tenant}/sightings/${id}/picture`,
};
