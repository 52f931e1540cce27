import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fetchNpmFiles } from '../../models/registry/fetch-npm-files.ts';
import { projectRoot } from '../../models/registry/project-root.ts';

const PATHS = [1, 2, 3, 4, 5, 6].map((number) => `demo/sample${number}.jpg`);

/** Six photographs of real people (22 faces); fetched the first time. */
export async function samplePhotos(): Promise<string[]> {
  const into = join(projectRoot(), '.cache', 'test-photos');
  const files = PATHS.map((path) => join(into, path));
  if (files.every((file) => existsSync(file))) return files;
  return fetchNpmFiles({
    package: '@vladmandic/face-api',
    version: '1.7.15',
    integrity: 'sha512-WDMmK3CfNLo8jylWqMoQgf4nIst3M0fzx1dnac96wv/dvMTN4DxC/Pq1DGtduDk1lktCamQ3MIDXFnvrdHTXDw==',
    paths: PATHS,
    into,
  });
}
