import { path } from './path.ts';
import { query } from './query.ts';
import { request } from './request.ts';
import type { Page, Room, RoomSettings } from './types.ts';

/** As many as one page can hold; a venue has fewer rooms. */
const MOST = 200;

export const rooms = {
  /** By title. */
  async list(tenant: string, signal: AbortSignal): Promise<readonly Room[]> {
    const { items } = await request<Page<Room>>('GET', path`/v1/tenants/${tenant}/rooms` + query({ limit: MOST }), { signal });
    return items.toSorted((a, b) => a.title.localeCompare(b.title));
  },
  add: (tenant: string, room: RoomSettings, idempotencyKey: string) =>
    request<Room>('POST', path`/v1/tenants/${tenant}/rooms`, { body: room, idempotencyKey }),
  replace: (tenant: string, { id, version }: Room, room: RoomSettings) =>
    request<Room>('PUT', path`/v1/tenants/${tenant}/rooms/${id}`, { body: room, version }),
  remove: (tenant: string, { id, version }: Room) => request<void>('DELETE', path`/v1/tenants/${tenant}/rooms/${id}`, { version }),
};
