import type { Telemetry } from '../../shared/fleet/telemetry.ts';
import type { Stats } from '../../shared/messages/events.ts';

export interface Surroundings {
  readonly version: string;
  readonly diskFreeBytes: number;
  /** The control plane knows the tenants whose keys are its own, and hears of no others. */
  readonly isLeased: (tenant: string) => boolean;
}

/** What the control plane is told of a box. */
export function telemetryOf(stats: Stats, { version, diskFreeBytes, isLeased }: Surroundings): Telemetry {
  const { at, uptimeMs, cameras, vaults, link, warnings } = stats;
  const live = cameras.filter(({ state }) => state === 'live').length;
  return {
    version,
    uptimeMs: Math.round(uptimeMs),
    cameras: { live, others: cameras.length - live },
    frames: { seen: sum(cameras.map(({ frames }) => frames)), skipped: sum(cameras.map(({ skipped }) => skipped)) },
    diskFreeBytes,
    ...(link && { anchor: link.anchor }),
    tenants: vaults
      .filter(({ tenant }) => isLeased(tenant))
      .map(({ tenant, state, lease, outbox }) => ({
        tenant,
        state,
        leaseEndsAt: lease && new Date(Date.parse(at) + lease.leftMs).toISOString(),
        waiting: outbox.items,
        dropped: outbox.dropped,
      })),
    warnings: warnings.filter(({ tenant }) => tenant === null || isLeased(tenant)),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
