import type { DesiredState, DesiredTenant } from '../../../shared/fleet/desired.ts';

/** Removed cameras that a box is told of; those that were removed longest ago are left out. */
const MOST_REMOVED = 128;

/** What a box should have from now on: what was there before and is not any more is named as removed. */
export function nextState(before: DesiredState | undefined, tenants: readonly DesiredTenant[]): DesiredState {
  const wanted = new Set(tenants.flatMap(({ cameras }) => cameras.map(({ id }) => id)));
  const had = before?.tenants.flatMap(({ id: tenant, cameras }) => cameras.map(({ id }) => ({ tenant, id }))) ?? [];
  const removed = [...(before?.removedCameras ?? []), ...had].filter(({ id }) => !wanted.has(id));
  return { tenants: [...tenants], removedCameras: removed.slice(-MOST_REMOVED) };
}
