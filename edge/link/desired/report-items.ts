import { isDeepStrictEqual } from 'node:util';
import { MOST_REPORTED_CAMERAS, type ReportedModels, type ReportedState } from '../../../shared/fleet/reported.ts';
import type { ActualModels, ActualState, ActualTenant, WantedCamera, WantedState, WantedTenant } from './box-state.ts';
import { cameraSubject, MODELS_SUBJECT } from './steps.ts';
import { comesFromCloud, nameIsFixed } from './steps-to.ts';

type Items = Pick<ReportedState, 'tenants' | 'cameras' | 'modelSet'> & { readonly models: ReportedModels };
type Standing = Pick<Items['tenants'][number], 'state' | 'reason'>;

const APPLIED = { state: 'applied', reason: null } as const;
const FIXED = { state: 'fixed', reason: null } as const;
const CLOSED = { state: 'closed', reason: null } as const;

/**
 * How everything stands that the control plane may know of: its own tenants and cameras, what the configuration file declares, and the models.
 * @param failures codes of steps that failed, by what they were about
 */
export function reportItems(wanted: WantedState, { tenants: actual, models }: ActualState, failures: ReadonlyMap<string, string>): Items {
  const { org } = wanted;
  const has = new Map(actual.map((tenant) => [tenant.id, tenant]));
  const named = new Set(wanted.tenants.map(({ id }) => id));
  const others = actual.filter((tenant) => !named.has(tenant.id) && tenant.org === org && (tenant.fixed || comesFromCloud(tenant, org)));
  const tenants = [
    ...wanted.tenants.map((tenant) => ({ id: tenant.id, ...standingOf(tenant, has.get(tenant.id), org, failures) })),
    ...others.map(({ id, fixed }) => ({ id, ...(failed(failures, id) ?? (fixed ? FIXED : CLOSED)) })),
  ];
  const cameras = [
    ...wanted.tenants.flatMap((tenant) =>
      tenant.cameras.map((camera) => ({
        tenant: tenant.id,
        id: camera.id,
        ...standingOfCamera(camera, tenant.id, has.get(tenant.id), org, failures),
      })),
    ),
    ...actual.flatMap(({ id: tenant, org: own, cameras: held = [] }) =>
      held.flatMap(({ id, fixed }) => (fixed && own === org ? [{ tenant, id, ...FIXED }] : [])),
    ),
  ];
  return {
    tenants,
    cameras: cameras.slice(0, MOST_REPORTED_CAMERAS),
    modelSet: models.set,
    models: { ...standingOfModels(wanted.models, models, failures), files: [...models.files] },
  };
}

function standingOfModels(wanted: string | null, has: ActualModels, failures: ReadonlyMap<string, string>): ActualModels['standing'] {
  if (has.fixed) return wanted === null || wanted === has.set ? FIXED : { state: 'fixed', reason: 'fixed_by_configuration' };
  const failure = failures.get(MODELS_SUBJECT);
  if (failure !== undefined) return { state: 'failed', reason: failure };
  return has.chosen === wanted ? has.standing : { state: 'waiting', reason: null };
}

function standingOf(
  { id, policy }: WantedTenant,
  has: ActualTenant | undefined,
  org: string,
  failures: ReadonlyMap<string, string>,
): Standing {
  const failure = failed(failures, id);
  if (failure) return failure;
  if (has === undefined) return { state: 'waiting', reason: null };
  if (has.org !== org) return { state: 'failed', reason: 'conflict' };
  if (has.fixed) return { state: 'fixed', reason: isDeepStrictEqual(has.policy, policy) ? null : 'fixed_by_configuration' };
  if (has.cameras === undefined) return { state: 'waiting', reason: has.reason };
  return has.leased ? APPLIED : { state: 'applied', reason: 'lease_not_used' };
}

function standingOfCamera(
  camera: WantedCamera,
  tenant: string,
  has: ActualTenant | undefined,
  org: string,
  failures: ReadonlyMap<string, string>,
): Standing {
  if ('refused' in camera) return { state: 'failed', reason: camera.refused };
  const failure = failed(failures, cameraSubject(tenant, camera.id));
  if (failure) return failure;
  if (has !== undefined && has.org !== org) return { state: 'failed', reason: 'conflict' };
  if (has?.cameras === undefined) return { state: 'waiting', reason: has?.reason ?? null };
  if (nameIsFixed(has.cameras, camera.settings.slug)) return { state: 'fixed', reason: 'fixed_by_configuration' };
  return has.cameras.some(({ id }) => id === camera.id) ? APPLIED : { state: 'waiting', reason: null };
}

function failed(failures: ReadonlyMap<string, string>, subject: string): Standing | undefined {
  const reason = failures.get(subject);
  return reason === undefined ? undefined : { state: 'failed', reason };
}
