import type { Stats } from '../../shared/messages/events.ts';
import type { BoxPort } from '../api/ports.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';
import type { BestShots } from './best-shots.ts';
import type { Cameras } from './cameras.ts';
import type { EventHub } from './event-hub.ts';
import type { Faces } from './faces.ts';
import type { InView } from './in-view.ts';
import type { Leases } from './leases.ts';
import type { RunningModels } from './running-models.ts';
import type { Shredder } from './shredder.ts';
import type { Tenants } from './tenants.ts';

export interface BoxParts {
  readonly box: string;
  readonly version: string;
  readonly stats: () => Stats;
  readonly stageTimes: BoxPort['stageTimes'];
  readonly models: RunningModels;
  readonly tenants: Tenants;
  readonly shredder: Shredder;
  readonly leases: Leases;
  readonly cameras: Cameras;
  readonly faces: Faces;
  readonly webhooks: Webhooks;
  readonly hub: EventHub;
  readonly bestShots: BestShots;
  readonly inView: InView;
}

/** What the API may ask of the box, answered by its parts. */
export function createBoxPort(parts: BoxParts): BoxPort {
  const { box, version, stats, stageTimes, models, tenants, shredder, leases, cameras, faces, webhooks, hub, bestShots, inView } = parts;
  return {
    box,
    version,
    stats,
    stageTimes,
    models: () => models.now.licences,
    health: () => [inferenceHealth(models), vaultsHealth(tenants), ...replicaHealth(tenants)],
    tenants,
    wipe: (tenant) => shredder.shred(tenants.get(tenant).org, tenant),
    leases,
    cameras,
    faces,
    webhooks,
    onEvent: (tenant, listener) => hub.listen(tenant, listener),
    sightingPicture: (tenant, sightingId) => faces.pictureOf(tenant, sightingId),
    hasSightingPicture: (tenant, sightingId) => bestShots.has(tenant, sightingId),
    holdSightingPicture: (tenant, sightingId) => bestShots.hold(tenant, sightingId),
    inView: (tenant) => inView.list(tenant),
  };
}

type PartHealth = ReturnType<BoxPort['health']>[number];

function inferenceHealth({ now: { stages } }: RunningModels): PartHealth {
  const { trouble } = stages;
  return { part: 'inference', ready: trouble === null, reason: trouble };
}

/** One part for all vaults: whoever may ask whether the box is ready is not told whose box it is. */
function vaultsHealth(tenants: Tenants): PartHealth {
  const reasons = tenants.list().map(({ id, state, reason }) => {
    if (state !== 'ready') return reason ?? 'vault_unavailable';
    return tenants.vault(id).writable ? null : 'storage_failed';
  });
  const reason = reasons.find((one) => one !== null) ?? null;
  return { part: 'vaults', ready: reason === null, reason };
}

/** One part for all keyrings, where replicas are kept. */
function replicaHealth({ replicaBehind }: Tenants): PartHealth[] {
  if (replicaBehind === undefined) return [];
  return [{ part: 'keyring replica', ready: !replicaBehind, reason: replicaBehind ? 'replica_behind' : null }];
}
