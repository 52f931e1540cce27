import { describe, expect, test } from 'vitest';
import { checkContract, type GraphShape } from '../../../../models/registry/check-contract.ts';
import { findModel } from '../../../../models/registry/find-model.ts';
import { loadManifest } from '../../../../models/registry/load-manifest.ts';

const manifest = loadManifest();
const embedder = findModel(manifest, 'faceplugin-512');
const scrfd = findModel(manifest, 'scrfd-10g-bnkps');
const picture = { name: 'input', dims: ['N', 3, 112, 112] };
const embedding = { name: 'output', dims: ['N', 512] };

function reasonOf(check: () => void): unknown {
  try {
    check();
  } catch (error) {
    expect(error).toMatchObject({ code: 'model_contract' });
    return error instanceof Error ? error.message : error;
  }
  return null;
}

test('a graph that fits is accepted', () => {
  expect(reasonOf(() => checkContract(embedder, { inputs: [picture], outputs: [embedding] }, true))).toBeNull();
});

test('a graph that takes one picture fits only where no batch is asked for', () => {
  const graph = { inputs: [{ name: 'input', dims: [1, 3, 112, 112] }], outputs: [{ name: 'output', dims: [1, 512] }] };
  expect(reasonOf(() => checkContract(embedder, graph, false))).toBeNull();
  expect(reasonOf(() => checkContract(embedder, graph, true))).toContain('takes only 1 picture at once');
});

describe('a graph is refused', () => {
  test.each<[string, GraphShape, string]>([
    ['without input', { inputs: [], outputs: [embedding] }, 'has 0 inputs'],
    ['with two inputs', { inputs: [picture, picture], outputs: [embedding] }, 'has 2 inputs'],
    ['of another size', { inputs: [{ ...picture, dims: ['N', 3, 160, 160] }], outputs: [embedding] }, '160x160 instead of 112x112'],
    ['of another layout', { inputs: [{ ...picture, dims: ['N', 112, 112, 3] }], outputs: [embedding] }, '112 channels instead of 3'],
    ['of flat input', { inputs: [{ ...picture, dims: ['N', 37632] }], outputs: [embedding] }, '2 dimensions instead of 4'],
    ['with a shorter embedding', { inputs: [picture], outputs: [{ ...embedding, dims: ['N', 128] }] }, '128 values instead of 512'],
    ['with a spatial output', { inputs: [picture], outputs: [{ ...embedding, dims: ['N', 512, 7, 7] }] }, '4 dimensions instead of 2'],
    ['with too many outputs', { inputs: [picture], outputs: [embedding, embedding] }, 'has 2 outputs instead of 1'],
  ])('%s', (_name, graph, reason) => {
    expect(reasonOf(() => checkContract(embedder, graph, true))).toContain(reason);
  });
});

test('every fault is named at once', () => {
  const message = reasonOf(() => checkContract(embedder, { inputs: [{ name: 'input', dims: [1, 1, 64, 64] }], outputs: [] }, true));
  expect(message).toMatch(/1 channels.*64x64.*only 1 picture.*0 outputs/);
});

test('SCRFD needs free width and height, and key points', () => {
  const outputs = [1, 1, 1, 4, 4, 4, 10, 10, 10].map((last, index) => ({ name: `${index}`, dims: ['N', 'K', last] }));
  const free = { name: 'input.1', dims: ['N', 3, '?', '?'] };
  expect(reasonOf(() => checkContract(scrfd, { inputs: [free], outputs }, true))).toBeNull();
  expect(reasonOf(() => checkContract(scrfd, { inputs: [{ ...free, dims: ['N', 3, 640, 640] }], outputs }, true))).toContain(
    'one size only',
  );
  expect(reasonOf(() => checkContract(scrfd, { inputs: [free], outputs: outputs.slice(0, 6) }, true))).toContain('6 outputs instead of 9');
});
