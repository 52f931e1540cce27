import { path } from './path.ts';
import { query } from './query.ts';
import { request } from './request.ts';
import type { Page, Room, RoomSettings } from './types.ts';

/** As many as one page can hold; a venue has fewer rooms. */
const MOST = 200;

export const rooms = {
  list: (tenant: string, signal: AbortSignal) =>
    request<Page<Room>>('GET', path`/v1/tenants/${tenant}/rooms` + query({ limit: MOST }), { signal }),
  add: (tenant: string, room: RoomSettings, idempotencyKey: string) =>
    request<Room>('POST', path`/v1/tenants/${tenant}/rooms`, { body: room, idempotencyKey }),
  replace: (tenant: string, { id, version }: Room, room: RoomSettings) =>
    request<Room>('PUT', path`/v1/tenants/${tenant}/rooms/${id}`, { body: room, version }),
  remove: (tenant: string, { id, version }: Room) => request<void>('DELETE', path`/v1/tenants/${tenant}/rooms/${id}`, { version }),
};
