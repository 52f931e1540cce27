import { join } from 'node:path';
import { projectRoot } from '../../models/registry/project-root.ts';
import { pullModels } from '../../models/registry/pull-models.ts';
import { ProgressBar } from '../terminal/progress-bar.ts';
import { makeFootage } from './footage/make-footage.ts';
import { fetchPhotos, photoPath } from './photos.ts';

export interface Prepared {
  /** File of a photograph by its number. */
  readonly photo: (number: number) => string;
  /** File of the H.264 byte stream by the camera's id. */
  readonly footage: ReadonlyMap<string, string>;
}

/**
 * Brings what the demo needs: models, photographs and the footage made of them. What is there is kept.
 * @param say takes a line for people
 * @throws {SecureGateError} those of `pullModels` and `fetchPhotos`
 */
export async function prepare(say: (line: string) => void): Promise<Prepared> {
  const bar = new ProgressBar(process.stderr);
  try {
    await pullModels({ onProgress: ({ what, bytes, total }) => bar.update(what, bytes, total) });
  } finally {
    bar.end();
  }
  const cache = join(projectRoot(), '.cache', 'demo');
  const photos = join(cache, 'photos');
  await fetchPhotos(photos, say);
  let quarter = 0;
  const footage = await makeFootage({
    photos,
    cache: join(cache, 'footage'),
    onProgress: (share) => {
      for (; quarter <= share * 4; quarter += 1) say(`filming four cameras: ${quarter * 25} %`);
    },
  });
  return { photo: (number) => photoPath(photos, number), footage };
}
