import { expect, test } from 'vitest';
import type { Tenants } from '../../../../edge/box/tenants.ts';
import { trustedNow } from '../../../../edge/box/trusted-now.ts';
import type { VaultClient } from '../../../../edge/vault/client.ts';

const NOW = Date.UTC(2026, 10, 22);
const HOUR = 3_600_000;

/** Tenants whose vaults hold leases, and take it to be this time; null without a lease. */
function tenantsAt(...times: (number | null)[]): Pick<Tenants, 'list' | 'vault'> {
  const leaseOf = (at: number) => ({ endsAt: NOW + HOUR, leftMs: NOW + HOUR - at }) as VaultClient['heldLease'];
  return {
    list: () => times.map((_, index) => ({ id: String(index) })) as unknown as ReturnType<Tenants['list']>,
    vault: (id) => {
      const at = times[Number(id)] ?? null;
      return { heldLease: at === null ? null : leaseOf(at) } as VaultClient;
    },
  };
}

test.each<[string, number, (number | null)[], number]>([
  ['the clock without leases', NOW, [null], NOW],
  ['the clock where it is ahead', NOW + 2 * HOUR, [NOW, null], NOW + 2 * HOUR],
  ['the latest vault where the clock was turned back', NOW - 400 * HOUR, [NOW - HOUR, NOW, null], NOW],
])('the time that counts is that of %s', (_what, clock, vaults, expected) => {
  expect(trustedNow({ now: () => clock }, tenantsAt(...vaults))).toBe(expected);
});
