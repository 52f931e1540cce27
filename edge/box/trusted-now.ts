import type { Clock } from '../runtime/clock.ts';
import type { Tenants } from './tenants.ts';

/**
 * Milliseconds since the Unix epoch: the clock's, or what the vaults know that hold leases where that is later. So a clock that was turned
 * back makes nothing count again that was over.
 */
export function trustedNow(clock: Pick<Clock, 'now'>, tenants: Pick<Tenants, 'list' | 'vault'>): number {
  const ofVaults = tenants.list().flatMap(({ id }) => {
    const lease = tenants.vault(id).heldLease;
    return lease === null ? [] : lease.endsAt - lease.leftMs;
  });
  return Math.max(clock.now(), ...ofVaults);
}
