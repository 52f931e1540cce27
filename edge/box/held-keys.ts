import type { Hello } from '../../shared/fleet/hello.ts';
import type { Leases } from './leases.ts';
import type { Tenants } from './tenants.ts';

/** The tenants' keys that this box holds under leases, as it tells the control plane. */
export async function heldKeys(leases: Pick<Leases, 'list'>, tenants: Pick<Tenants, 'get'>): Promise<Hello['keys']> {
  const held = await leases.list();
  return held.flatMap(({ tenant, epoch, endsAt }) =>
    epoch === null ? [] : [{ org: tenants.get(tenant).org, tenant, epoch, endsAt: endsAt === null ? null : Date.parse(endsAt) }],
  );
}
