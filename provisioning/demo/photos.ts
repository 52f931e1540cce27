import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fetchNpmFiles } from '../../models/registry/fetch-npm-files.ts';

const SOURCE = {
  package: '@vladmandic/face-api',
  version: '1.7.15',
  integrity: 'sha512-WDMmK3CfNLo8jylWqMoQgf4nIst3M0fzx1dnac96wv/dvMTN4DxC/Pq1DGtduDk1lktCamQ3MIDXFnvrdHTXDw==',
} as const;

const NUMBERS = [1, 2, 3, 4, 5, 6];

/** Path of one of the six photographs below the folder of {@link fetchPhotos}. */
export function photoPath(folder: string, number: number): string {
  return join(folder, 'demo', `sample${number}.jpg`);
}

/**
 * Fetches the six photographs that the demo is made from, and nothing else of their package, unless they are there.
 * @param say takes a line for people
 * @throws {SecureGateError} `model_source`, `model_integrity`
 */
export async function fetchPhotos(folder: string, say: (line: string) => void): Promise<void> {
  if (NUMBERS.every((number) => existsSync(photoPath(folder, number)))) return;
  say(`fetching six photographs out of ${SOURCE.package}@${SOURCE.version}`);
  await fetchNpmFiles({ ...SOURCE, paths: NUMBERS.map((number) => `demo/sample${number}.jpg`), into: folder });
}
