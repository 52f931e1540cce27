import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { TenantId } from '../../demo/footage/script.ts';
import type { Box } from './box.ts';
import { NotHeld, requireThat } from './not-held.ts';

/**
 * Adds a customer without a face.
 * @returns his id
 * @throws {SecureGateError} what the box answered instead
 */
export async function enrol(box: Box, tenant: TenantId, name: string): Promise<string> {
  const now = Date.now();
  const consent = {
    noticeVersion: 'drill-1',
    purpose: 'drill',
    givenAt: new Date(now - 1000).toISOString(),
    expiresAt: new Date(now + 86_400_000).toISOString(),
  };
  const { status, body } = await box.api.post(`/v1/tenants/${tenant}/customers`, { name, consent });
  if (status === 201) return body.id;
  throw new SecureGateError(body.code, `The box answered ${status}`);
}

/** @throws {NotHeld} unless every one of these customers is there */
export async function requireAll(box: Box, tenant: TenantId, ids: ReadonlySet<string>): Promise<void> {
  const missing = new Set(ids);
  let cursor = '';
  do {
    const { status, body } = await box.api.get(`/v1/tenants/${tenant}/customers?limit=100${cursor}`);
    if (status !== 200) throw new NotHeld(`the list of customers was answered with ${status} ${body.code}`);
    for (const { id } of body.items) missing.delete(id);
    cursor = body.next === null ? '' : `&cursor=${encodeURIComponent(body.next)}`;
  } while (cursor !== '');
  requireThat(missing.size === 0, `${missing.size} of ${ids.size} acknowledged customers are gone`);
}
