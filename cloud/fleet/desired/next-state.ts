import type { DesiredState } from '../../../shared/fleet/desired.ts';
import type { Wanted } from './read-wanted.ts';

/** Removed cameras that a box is told of; those that were removed longest ago are left out. */
const MOST_REMOVED = 128;

/** What a box should have from now on: what was there before and is not any more is named as removed. */
export function nextState(before: DesiredState | undefined, { tenants, models }: Wanted): DesiredState {
  const wanted = new Set(tenants.flatMap(({ cameras }) => cameras.map(({ id }) => id)));
  const had = before?.tenants.flatMap(({ id: tenant, cameras }) => cameras.map(({ id }) => ({ tenant, id }))) ?? [];
  const removed = [...(before?.removedCameras ?? []), ...had].filter(({ id }) => !wanted.has(id));
  // Where nobody has chosen, a box of a version before there was a choice takes it as well.
  return { tenants: [...tenants], removedCameras: removed.slice(-MOST_REMOVED), ...(models === null ? {} : { models }) };
}
