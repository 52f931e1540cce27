import { parentPort, workerData } from 'node:worker_threads';
import { loadModel } from '../../edge/inference/load-model.ts';
import { modelEntrySchema } from '../../models/registry/manifest-schema.ts';

/** Worker thread that loads a model, runs it once, tells the output's dimensions and has nothing left to do. */
const session = await loadModel({ entry: modelEntrySchema.parse(workerData.entry), path: String(workerData.path), provider: 'cpu' });
const batch = Number(workerData.batch);
const [output] = await session.run(new Float32Array(24 * batch), batch);
parentPort?.postMessage(output?.dims);
await session.close();
