import { pullModels } from '../../models/registry/pull-models.ts';
import { type InstalledSet, resolveSet } from '../../models/registry/resolve-set.ts';

/** The models of the default set from this checkout's models folder; fetched the first time. */
export async function embeddedModels(): Promise<InstalledSet> {
  await pullModels();
  return resolveSet();
}
