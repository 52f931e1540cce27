import { allPages } from '../runtime/all-pages.ts';
import type { BoxPort } from './ports.ts';
import { VENUE_RECORDS } from './schemas/venue.ts';

const PAGE = 100;

/** After a room was removed: its cameras go on, and its events stay, without a room. */
export async function leaveRoom(box: BoxPort, tenant: string, room: string): Promise<void> {
  for (const { id, roomId } of box.cameras.list(tenant)) {
    if (roomId === room) await box.cameras.change(tenant, id, { roomId: null });
  }
  const vault = box.tenants.vault(tenant);
  for (const { id, version, data } of await allPages((cursor) => vault.listRecords('events', { cursor, limit: PAGE }))) {
    const { roomId, ...event } = VENUE_RECORDS.events.parse(data);
    if (roomId === room) await vault.changeRecord('events', id, event, version);
  }
}
