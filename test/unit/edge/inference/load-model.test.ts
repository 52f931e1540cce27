import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadModel } from '../../../../edge/inference/load-model.ts';
import type { ModelSession } from '../../../../edge/inference/model-session.ts';
import { rewriteGraph } from '../../../../models/convert/rewrite-graph.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';
import { tinyEntry, tinyModel } from '../../../helpers/tiny-model.ts';

const entry = tinyEntry();

async function fileWith(content: Uint8Array): Promise<string> {
  const path = join(await tempFolder(), 'model.onnx');
  await writeFile(path, content);
  return path;
}

async function load(): Promise<ModelSession> {
  const session = await loadModel({ entry, path: await fileWith(rewriteGraph(tinyModel(), 'batch')), provider: 'cpu' });
  onTestFinished(() => session.close());
  return session;
}

describe('a loaded model', () => {
  test('runs one picture and a batch', async () => {
    const session = await load();
    const input = Float32Array.from({ length: 72 }, (_, index) => index);
    const [one] = await session.run(input.subarray(0, 24), 1);
    expect(one).toMatchObject({ name: 'embedding', dims: [1, 24] });
    const [three] = await session.run(input, 3);
    expect(three?.dims).toEqual([3, 24]);
    expect(three?.data).toEqual(input);
  });

  test.each([
    ['values that are no whole pictures', 25, 1, undefined],
    ['another batch than said', 24, 2, undefined],
    ['an empty batch', 0, 0, undefined],
    ['another size where the model has one', 24, 1, { width: 2, height: 4 }],
  ])('refuses %s', async (_name, values, batch, size) => {
    const session = await load();
    await expect(session.run(new Float32Array(values), batch, size)).rejects.toMatchObject({ code: 'inference_failed' });
  });

  test('closes, twice if need be, and then runs no more', async () => {
    const session = await load();
    await session.close();
    await session.close();
    await expect(session.run(new Float32Array(24), 1)).rejects.toMatchObject({ code: 'inference_failed' });
  });
});

describe('loading refuses', () => {
  test('a file that is not there', async () => {
    await expect(loadModel({ entry, path: '/nowhere/model.onnx', provider: 'cpu' })).rejects.toMatchObject({ code: 'model_missing' });
  });

  test.each<[string, Uint8Array]>([
    ['a file that is no model', Buffer.from('not a model')],
    ['a model that takes one picture only', tinyModel()],
    ['a model of another size', rewriteGraph(tinyModel({ width: 8, values: 48 }), 'batch')],
  ])('%s', async (_name, content) => {
    await expect(loadModel({ entry, path: await fileWith(content), provider: 'cpu' })).rejects.toMatchObject({ code: 'model_contract' });
  });
});

test('several worker threads load, run, close and end by themselves', async () => {
  const path = await fileWith(rewriteGraph(tinyModel(), 'batch'));
  const script = new URL('../../../helpers/run-model-worker.ts', import.meta.url);
  const ends = [1, 2, 3].map(
    (batch) =>
      new Promise<{ code: number; dims: unknown }>((resolve, reject) => {
        const worker = new Worker(script, { workerData: { entry, path, batch } });
        let dims: unknown;
        worker.on('message', (message) => {
          dims = message;
        });
        worker.on('error', reject);
        worker.on('exit', (code) => resolve({ code, dims }));
      }),
  );
  expect(await Promise.all(ends)).toEqual([1, 2, 3].map((batch) => ({ code: 0, dims: [batch, 24] })));
});
