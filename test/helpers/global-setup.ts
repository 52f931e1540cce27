import { embeddedModels } from './embedded-models.ts';
import { samplePhotos } from './sample-photos.ts';

/** Brings the models and photographs that many tests need, once and before any of them, so that no two fetch at a time. */
export default async function setUp(): Promise<void> {
  process.stderr.write('tests: making sure that models and sample photographs are there\n');
  await Promise.all([embeddedModels(), samplePhotos()]);
}
