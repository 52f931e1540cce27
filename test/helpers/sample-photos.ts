import { join } from 'node:path';
import { projectRoot } from '../../models/registry/project-root.ts';
import { fetchPhotos, photoPath } from '../../provisioning/demo/photos.ts';

/** The demo's six photographs of real people (22 faces); fetched the first time. */
export async function samplePhotos(): Promise<string[]> {
  const folder = join(projectRoot(), '.cache', 'demo', 'photos');
  await fetchPhotos(folder, (line) => void process.stderr.write(`tests: ${line}\n`));
  return [1, 2, 3, 4, 5, 6].map((number) => photoPath(folder, number));
}
