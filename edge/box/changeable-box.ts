import { join } from 'node:path';
import type { Tombstones } from '../appliance/tombstones.ts';
import type { ActualTenant } from '../link/desired/box-state.ts';
import type { ChangeableBox } from '../link/desired/convergence.ts';
import { CREDENTIALS_FOLDER, cameraAddress } from './camera-credential.ts';
import type { Cameras } from './cameras.ts';
import type { Leases } from './leases.ts';
import type { ModelChoice } from './model-choice.ts';
import type { Tenants } from './tenants.ts';

export interface ChangeableBoxOptions {
  readonly tenants: Pick<Tenants, 'list' | 'get' | 'add' | 'change'>;
  readonly cameras: Pick<Cameras, 'settings' | 'add' | 'change' | 'remove'>;
  readonly leases: Pick<Leases, 'add' | 'close' | 'renew' | 'holds'>;
  readonly tombstones: () => Pick<Tombstones, 'list'>;
  readonly models: Pick<ModelChoice, 'actual' | 'choose'>;
  readonly keyDir: string;
}

/** This box, as the control plane can change it. */
export function changeableBox({ tenants, cameras, leases, tombstones, models, keyDir }: ChangeableBoxOptions): ChangeableBox {
  return {
    actual: () => ({ tenants: tenants.list().map((tenant) => actualOf(tenant, cameras, leases)), models: models.actual }),
    settingsOf: ({ id: _id, credential, url, ...settings }) => ({
      ...settings,
      url: cameraAddress(url, credential, join(keyDir, CREDENTIALS_FOLDER)),
    }),
    shredded: (org) =>
      tombstones()
        .list()
        .flatMap((tombstone) => (tombstone.org === org ? [tombstone.tenant] : [])),
    executors: {
      'add-tenant': async ({ tenant, org, policy }) => {
        await tenants.add({ id: tenant, org, keys: 'lease', ...policy });
        leases.add(tenant);
      },
      'open-tenant': async ({ tenant }) => {
        leases.add(tenant);
        if (tenants.get(tenant).state === 'failed') await leases.renew(tenant);
      },
      'change-policy': async ({ tenant, policy }) => void (await tenants.change(tenant, policy)),
      'close-tenant': ({ tenant }) => leases.close(tenant),
      'add-camera': async ({ tenant, camera, settings }) => void (await cameras.add(tenant, set(settings), camera)),
      'change-camera': async ({ tenant, camera, settings }) => void (await cameras.change(tenant, camera, set(settings))),
      'remove-camera': ({ tenant, camera }) => cameras.remove(tenant, camera),
      'choose-models': async ({ models: set }) => models.choose(set),
    },
  };
}

/** A title that is taken away is an empty one to the box. */
function set<Settings extends { readonly title: string | null }>(settings: Settings): Settings & { title: string } {
  return { ...settings, title: settings.title ?? '' };
}

function actualOf(
  { id, org, fixed, keys, state, reason, sightingsDays, unmatchedTtlMs, matchThreshold }: ReturnType<Tenants['get']>,
  cameras: ChangeableBoxOptions['cameras'],
  leases: ChangeableBoxOptions['leases'],
): ActualTenant {
  const isShut = state !== 'ready' && state !== 'starting';
  return {
    ...{ id, org, fixed, reason },
    leased: keys === 'lease',
    dropped: keys === 'lease' && isShut && !leases.holds(id),
    policy: { sightingsDays, unmatchedTtlMs, matchThreshold },
    cameras:
      state === 'ready'
        ? cameras.settings(id)?.map(({ settings: { slug, title = null, url, fps, tiles = null }, ...camera }) => ({
            ...{ id: camera.id, fixed: camera.fixed },
            settings: { slug, title, url, fps, tiles },
          }))
        : undefined,
  };
}
