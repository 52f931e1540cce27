import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultModelsDir } from '../../models/registry/default-models-dir.ts';
import { findSet, membersOf } from '../../models/registry/find-set.ts';
import { loadManifest } from '../../models/registry/load-manifest.ts';
import { tempFolder } from './temp-folder.ts';

/** A models folder of the test's own, with the default set in it. */
export async function modelFolder(): Promise<string> {
  const folder = await tempFolder();
  const manifest = loadManifest();
  for (const { id } of membersOf(findSet(manifest, manifest.defaultSet))) {
    await cp(join(defaultModelsDir(), id), join(folder, id), { recursive: true });
  }
  return folder;
}
