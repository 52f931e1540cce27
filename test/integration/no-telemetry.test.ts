import { execFile } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { rewriteGraph } from '../../models/convert/rewrite-graph.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { tinyEntry, tinyModel } from '../helpers/tiny-model.ts';

const edge = new URL('../../edge/', import.meta.url);
const modelWorker = new URL('../helpers/run-model-worker.ts', import.meta.url);

/** ONNX Runtime's reporting begins with a log in the temporary folder and a database and a device id in the cache folder. */
test.each([
  [
    'this process',
    `const { loadModel } = await import('${edge}inference/load-model.ts'); await (await loadModel({ ...data, provider: 'cpu' })).close();`,
  ],
  [
    'a thread, as the daemon does',
    `await import('${edge}pipeline/stages.ts'); const { Worker } = await import('node:worker_threads');
     await new Promise((resolve, reject) => new Worker('${modelWorker.pathname}', { workerData: { ...data, batch: 1 }, execArgv: [] }).on('error', reject).on('exit', resolve));`,
  ],
])('a model that is run in %s leaves no trace of itself outside', async (_where, code) => {
  const folder = await tempFolder();
  const path = join(folder, 'model.onnx');
  const home = join(folder, 'home');
  await writeFile(path, rewriteGraph(tinyModel(), 'batch'));
  await mkdir(home);
  const data = JSON.stringify({ entry: tinyEntry({ rewrite: 'batch' }), path });
  const env = { PATH: process.env.PATH, HOME: home, XDG_CACHE_HOME: home, TMPDIR: home };
  await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', `const data = ${data}; ${code}`], { env });
  expect(await readdir(home)).toEqual([]);
});
