import { rename, writeFile } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { photoPath } from '../photos.ts';
import type { FilmingJob } from './make-footage.ts';
import { renderCamera } from './render-camera.ts';
import { APPEARANCES, CAMERAS } from './script.ts';

const job = workerData as FilmingJob;
const camera = CAMERAS.find(({ id }) => id === job.camera);
if (camera === undefined) throw new Error(`No camera ${job.camera}`);
const video = await renderCamera({
  camera,
  appearances: APPEARANCES.filter((appearance) => appearance.camera === camera.id),
  photo: (number) => photoPath(job.photos, number),
  onProgress: (share) => parentPort?.postMessage(share),
});
await writeFile(job.staging, video);
await rename(job.staging, job.output);
