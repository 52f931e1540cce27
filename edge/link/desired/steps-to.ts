import { isDeepStrictEqual } from 'node:util';
import type { ActualCamera, ActualState, ActualTenant, CameraSettings, WantedState, WantedTenant } from './box-state.ts';
import type { Step } from './steps.ts';

/** What brings the box nearer to what is wanted; nothing where it is there, as far as it can be. What the configuration file declares stays. */
export function stepsTo(wanted: WantedState, { tenants: actual, models }: ActualState): Step[] {
  const { org } = wanted;
  const has = new Map(actual.map((tenant) => [tenant.id, tenant]));
  const steps = wanted.tenants.flatMap((tenant) => stepsOfTenant(org, tenant, has.get(tenant.id)));
  for (const { tenant, id } of wanted.removedCameras) {
    const held = camerasOf(has.get(tenant), org).find((camera) => camera.id === id && !camera.fixed);
    if (held) steps.push({ kind: 'remove-camera', tenant, camera: id });
  }
  for (const tenant of wanted.tenants) steps.push(...stepsOfCameras(tenant, has.get(tenant.id), org));
  const named = new Set(wanted.tenants.map(({ id }) => id));
  for (const tenant of actual) {
    if (comesFromCloud(tenant, org) && !tenant.dropped && !named.has(tenant.id)) steps.push({ kind: 'close-tenant', tenant: tenant.id });
  }
  if (!models.fixed && models.chosen !== wanted.models) steps.push({ kind: 'choose-models', models: wanted.models });
  return steps;
}

/** Tenants under a lease come from the control plane, but for those of the configuration file. */
export function comesFromCloud({ org, leased, fixed }: ActualTenant, ofOrg: string): boolean {
  return org === ofOrg && leased && !fixed;
}

function stepsOfTenant(org: string, { id: tenant, policy }: WantedTenant, has: ActualTenant | undefined): Step[] {
  if (has === undefined) return [{ kind: 'add-tenant', tenant, org, policy }];
  if (has.org !== org || has.fixed) return [];
  return [
    ...(has.dropped ? [{ kind: 'open-tenant', tenant } as const] : []),
    ...(isDeepStrictEqual(has.policy, policy) ? [] : [{ kind: 'change-policy', tenant, policy } as const]),
  ];
}

/** Those that give up a name come before those that take it. */
function stepsOfCameras({ id: tenant, cameras }: WantedTenant, has: ActualTenant | undefined, org: string): Step[] {
  if (has?.cameras === undefined || has.org !== org) return [];
  const held = has.cameras;
  const wanted = new Map(cameras.flatMap((camera) => ('settings' in camera ? [[camera.id, camera.settings] as const] : [])));
  const changes: Step[] = [];
  const turns: Step[] = [];
  const additions: Step[] = [];
  for (const [camera, settings] of wanted) {
    const now = held.find(({ id }) => id === camera);
    if (nameIsFixed(held, settings.slug)) continue;
    if (now === undefined) additions.push({ kind: 'add-camera', tenant, camera, settings });
    else if (takesTurns(now, settings, held, wanted)) turns.push({ kind: 'remove-camera', tenant, camera });
    else if (!isDeepStrictEqual(now.settings, settings)) changes.push({ kind: 'change-camera', tenant, camera, settings });
  }
  return [...changes, ...turns, ...additions];
}

/** Whether the configuration file declares a camera of this name. */
export function nameIsFixed(held: readonly ActualCamera[], slug: string): boolean {
  return held.some(({ fixed, settings }) => fixed && settings.slug === slug);
}

/** Whether another camera has the name that this one is to have, and is itself to have another: one goes, and comes back. */
function takesTurns(
  now: ActualCamera,
  { slug }: CameraSettings,
  held: readonly ActualCamera[],
  wanted: ReadonlyMap<string, CameraSettings>,
): boolean {
  const holder = held.find(({ id, settings }) => id !== now.id && settings.slug === slug);
  const slugThen = holder && wanted.get(holder.id)?.slug;
  return slugThen !== undefined && slugThen !== slug;
}

function camerasOf(tenant: ActualTenant | undefined, org: string): readonly ActualCamera[] {
  return tenant?.org === org ? (tenant.cameras ?? []) : [];
}
