import type { TenantId } from '../../demo/footage/script.ts';
import type { Box } from './box.ts';
import { NotHeld } from './not-held.ts';
import type { Venue } from './venue.ts';

/** How the search for an enrolled guest's own picture ends: his name, nobody's, or an error code. */
export async function search(venue: Venue, box: Box, tenant: TenantId): Promise<string> {
  const { customerId, picture } = venue.guest(tenant);
  const { status, body } = await box.api.postPicture(`/v1/tenants/${tenant}/search`, picture);
  if (status !== 200) return String(body.code);
  const [best] = body.candidates;
  return best?.customerId === customerId && best.match ? 'found' : 'nobody';
}

/** @throws {NotHeld} where this tenant's guest is not found */
export async function requireFound(venue: Venue, box: Box, tenant: TenantId): Promise<void> {
  const outcome = await search(venue, box, tenant);
  if (outcome !== 'found') throw new NotHeld(`the guest of ${tenant} was not found (${outcome})`);
}
