import type { Stats } from '../../shared/messages/events.ts';
import type { Clock } from '../runtime/clock.ts';
import type { EventLoopDelay } from '../runtime/event-loop-delay.ts';
import type { Quantiles } from '../runtime/quantiles.ts';
import type { Cameras } from './cameras.ts';
import type { CloudLink } from './cloud-link.ts';
import type { Leases } from './leases.ts';
import type { RunningModels } from './running-models.ts';
import type { Tenants } from './tenants.ts';
import type { Upkeep } from './upkeep.ts';
import { vaultStats } from './vault-stats.ts';
import { warningsOf } from './warnings.ts';

export interface MeasuredBox {
  /** Monotonic. */
  readonly startedAt: number;
  readonly cameras: Pick<Cameras, 'units'>;
  readonly latency: Quantiles;
  readonly eventLoop: EventLoopDelay;
  readonly models: RunningModels;
  readonly tenants: Pick<Tenants, 'list' | 'vault'>;
  readonly leases: Pick<Leases, 'failureOf' | 'renews'>;
  readonly upkeep: Pick<Upkeep, 'lastBackup'>;
  readonly link: Pick<CloudLink, 'state' | 'warnings'>;
  readonly clock: Clock;
}

/** How a box is at this moment. */
export function boxStats(box: MeasuredBox): Stats {
  const { startedAt, cameras, latency, eventLoop, models, tenants, leases, upkeep, link, clock } = box;
  const rejections = new Map<string, number>();
  const units = cameras.units();
  for (const camera of units) {
    for (const [reason, count] of camera.rejections) rejections.set(reason, (rejections.get(reason) ?? 0) + count);
  }
  const { stages, provider, fallbackReason } = models.now;
  return {
    type: 'stats',
    at: new Date(clock.now()).toISOString(),
    uptimeMs: clock.monotonic() - startedAt,
    cameras: units.map((camera) => camera.stats()),
    latencyMs: latency.values(),
    eventLoopMs: eventLoop.values(),
    queues: { inference: stages.queued, embedder: stages.waitingFaces },
    rejections: Object.fromEntries(rejections),
    provider: { name: provider, fallbackReason },
    vaults: tenants.list().map(({ id }) => vaultStats(id, tenants.vault(id), leases.failureOf(id))),
    lastBackupAt: upkeep.lastBackup?.at ?? null,
    link: link.state,
    warnings: warnings(box),
  };
}

function warnings({ tenants, leases, upkeep, link, clock }: MeasuredBox): Stats['warnings'] {
  const watched = tenants.list().map(({ id }) => {
    const { epoch, heldLease: lease } = tenants.vault(id);
    return { id, epoch, lease, renews: leases.renews(id) };
  });
  const found = [...warningsOf(watched, upkeep.lastBackup, clock.now()), ...link.warnings];
  return link.state?.connected === false ? [...found, { tenant: null, reason: 'broker_unavailable' }] : found;
}
