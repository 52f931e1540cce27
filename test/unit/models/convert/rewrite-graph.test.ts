import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp, { type Sharp } from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import type { RgbImage } from '../../../../edge/inference/image.ts';
import { packImages } from '../../../../edge/inference/pack-images.ts';
import { decodeUltraface } from '../../../../edge/pipeline/detect/decode-ultraface.ts';
import { decodeModel, floatValues, shapeOf } from '../../../../models/convert/onnx-graph.ts';
import { type Recipe, rewriteGraph } from '../../../../models/convert/rewrite-graph.ts';
import { defaultModelsDir } from '../../../../models/registry/default-models-dir.ts';
import { findModel } from '../../../../models/registry/find-model.ts';
import { installedFiles } from '../../../../models/registry/installed-files.ts';
import { loadManifest } from '../../../../models/registry/load-manifest.ts';
import type { ModelEntry } from '../../../../models/registry/manifest-schema.ts';
import { embeddedModels } from '../../../helpers/embedded-models.ts';
import { samplePhotos } from '../../../helpers/sample-photos.ts';
import { tinyModel } from '../../../helpers/tiny-model.ts';

const TEST_MODELS = process.env.SECUREGATE_TEST_MODELS ?? join(import.meta.dirname, '../../../../../shared/models');
const manifest = loadManifest();
/** Largest difference between an original's values and the rewritten model's. */
const TOLERANCE = 1e-5;

let photos: string[] = [];

beforeAll(async () => {
  photos = await samplePhotos();
  await embeddedModels();
});

function sourceOf(id: string): Buffer {
  return readFileSync(installedFiles(defaultModelsDir(), findModel(manifest, id)).source);
}

async function open(file: Uint8Array): Promise<InferenceSession> {
  return InferenceSession.create(file, { executionProviders: ['cpu'], intraOpNumThreads: 1, logSeverityLevel: 4 });
}

async function run(session: InferenceSession, input: Float32Array, dims: readonly number[]): Promise<Float32Array[]> {
  const results = await session.run({ [session.inputNames[0] ?? '']: new Tensor('float32', input, dims) });
  return session.outputNames.map((name) => {
    const data = results[name]?.data;
    if (!(data instanceof Float32Array)) throw new Error(`${name} holds no float32 values`);
    return data;
  });
}

async function pixels(image: Sharp, width: number, height: number): Promise<RgbImage> {
  return { width, height, data: await image.resize(width, height, { fit: 'fill' }).removeAlpha().raw().toBuffer() };
}

/** The clearest face of every photograph, as UltraFace's original sees it. */
async function faces(width: number, height: number): Promise<RgbImage[]> {
  const { input } = findModel(manifest, 'ultraface-320');
  const detector = await open(sourceOf('ultraface-320'));
  const found: RgbImage[] = [];
  for (const photo of photos) {
    const { width: fullWidth, height: fullHeight } = await sharp(photo).metadata();
    const [scores = new Float32Array(), boxes = new Float32Array()] = await run(
      detector,
      packImages([await pixels(sharp(photo), 320, 240)], input),
      [1, 3, 240, 320],
    );
    let best = 0;
    for (let k = 0; k < scores.length / 2; k++) if ((scores[2 * k + 1] ?? 0) > (scores[2 * best + 1] ?? 0)) best = k;
    expect(scores[2 * best + 1], `face in ${photo}`).toBeGreaterThan(0.9);
    const corner = (index: number, size: number): number => Math.round(Math.min(1, Math.max(0, boxes[4 * best + index] ?? 0)) * size);
    const [left, top, right, bottom] = [corner(0, fullWidth), corner(1, fullHeight), corner(2, fullWidth), corner(3, fullHeight)];
    found.push(await pixels(sharp(photo).extract({ left, top, width: right - left, height: bottom - top }), width, height));
  }
  await detector.release();
  return found;
}

/** Runs every picture alone through the original and at every position of a batch through the rewritten model. */
async function largestDifference(
  source: Uint8Array,
  recipe: Recipe,
  images: readonly RgbImage[],
  input: ModelEntry['input'],
): Promise<{ difference: number; largest: number }> {
  const { width = 0, height = 0 } = images[0] ?? {};
  const tail = [input.channels === 'grey' ? 1 : 3, height, width];
  const original = await open(source);
  const rewritten = await open(rewriteGraph(source, recipe));
  const alone: Float32Array[][] = [];
  for (const image of images) alone.push(await run(original, packImages([image], input, { width, height }), [1, ...tail]));
  let difference = 0;
  let largest = 0;
  for (let shift = 0; shift < images.length; shift++) {
    const order = images.map((_, position) => (position + shift) % images.length);
    const batch = order.map((index) => images[index]).filter((image) => image !== undefined);
    const together = await run(rewritten, packImages(batch, input, { width, height }), [images.length, ...tail]);
    for (const [position, index] of order.entries()) {
      for (const [output, expected] of (alone[index] ?? []).entries()) {
        const actual = together[output]?.subarray(position * expected.length, (position + 1) * expected.length);
        for (const [k, value] of expected.entries()) {
          difference = Math.max(difference, Math.abs(value - (actual?.[k] ?? Number.NaN)));
          largest = Math.max(largest, Math.abs(value));
        }
      }
    }
  }
  await original.release();
  await rewritten.release();
  return { difference, largest };
}

describe('a rewritten model gives what the original gives, at each position of a batch of real faces', () => {
  test('ultraface-320, its boxes made of the anchors that were left out', async () => {
    const images = await Promise.all(photos.map((photo) => pixels(sharp(photo), 320, 240)));
    const { input } = findModel(manifest, 'ultraface-320');
    const original = await open(sourceOf('ultraface-320'));
    const rewritten = await open(rewriteGraph(sourceOf('ultraface-320'), 'ultraface-batch'));
    const together = await run(rewritten, packImages(images, input), [images.length, 3, 240, 320]);
    const outputs = together.map((data, index) => ({ name: '', dims: [images.length, 4420, index === 0 ? 2 : 4], data }));
    for (const [index, image] of images.entries()) {
      const [scores = new Float32Array(), corners = new Float32Array()] = await run(original, packImages([image], input), [1, 3, 240, 320]);
      // Every anchor is taken, face or not.
      const made = decodeUltraface(outputs, index, { x: 0, y: 0, width: 320, height: 240 }, 0, input);
      expect(made).toHaveLength(4420);
      let difference = 0;
      for (const [anchor, { box, score }] of made.entries()) {
        const [left = 0, top = 0, right = 0, bottom = 0] = corners.subarray(anchor * 4, anchor * 4 + 4);
        const apart = [
          box.x / 320 - left,
          box.y / 240 - top,
          (box.x + box.width) / 320 - right,
          (box.y + box.height) / 240 - bottom,
          score - (scores[anchor * 2 + 1] ?? 0),
        ];
        difference = Math.max(difference, ...apart.map(Math.abs));
      }
      expect(difference).toBeLessThanOrEqual(TOLERANCE);
      expect(Math.max(...made.map(({ score }) => score))).toBeGreaterThan(0.9);
    }
    await original.release();
    await rewritten.release();
  });

  test.each(['landmarks-68', 'faceplugin-512'])('%s', async (id) => {
    const { input } = findModel(manifest, id);
    const { difference, largest } = await largestDifference(sourceOf(id), 'batch', await faces(input.width, input.height), input);
    expect(difference).toBeLessThanOrEqual(TOLERANCE);
    expect(largest).toBeGreaterThan(0.1);
  });

  describe.each(['det_500m.onnx', 'scrfd_2.5g_bnkps.onnx'])('SCRFD %s', (name) => {
    const file = join(TEST_MODELS, name);
    const { input } = findModel(manifest, 'scrfd-10g-bnkps');

    // Two sizes: the rewrite replaces computed sizes of the feature pyramid by fixed doublings.
    test.skipIf(!existsSync(file)).each([
      [320, 320],
      [416, 224],
    ])('%i x %i (needs the test models)', async (width, height) => {
      const images = await Promise.all(photos.slice(0, 3).map((photo) => pixels(sharp(photo), width, height)));
      const { difference, largest } = await largestDifference(readFileSync(file), 'scrfd-batch', images, input);
      expect(difference).toBeLessThanOrEqual(TOLERANCE);
      expect(largest).toBeGreaterThan(0.5);
    });

    test.skipIf(!existsSync(file))('the plain recipe is wrong for it, which is why it has its own (needs the test models)', async () => {
      const images = await Promise.all(photos.slice(0, 2).map((photo) => pixels(sharp(photo), 320, 320)));
      const plain = largestDifference(readFileSync(file), 'batch', images, input).then(({ difference }) => difference);
      // It fails to run or, worse, runs.
      expect(await plain.catch(() => Number.POSITIVE_INFINITY)).not.toBeLessThanOrEqual(TOLERANCE);
    });
  });
});

describe('rewriting', () => {
  test('names the batch and copies it in a Reshape', () => {
    const { graph } = decodeModel(rewriteGraph(tinyModel(), 'batch'));
    expect(shapeOf(graph)).toEqual({
      inputs: [{ name: 'picture', dims: ['N', 3, 2, 4] }],
      outputs: [{ name: 'embedding', dims: ['N', 24] }],
    });
    expect(graph.initializer.map(({ name }) => name)).toEqual(['embedding_shape']);
  });

  test('leaves no PRelu, which takes ONNX Runtime as long as all convolutions together', () => {
    const operators = (file: Uint8Array) => decodeModel(file).graph.node.filter(({ opType }) => opType === 'PRelu').length;
    expect(operators(sourceOf('faceplugin-512'))).toBe(33);
    expect(operators(rewriteGraph(sourceOf('faceplugin-512'), 'batch'))).toBe(0);
  });

  test("the anchors that are left out of UltraFace's graph are those that its boxes are made of", () => {
    const constants = decodeModel(sourceOf('ultraface-320')).graph.node.flatMap(({ opType, attribute }) => {
      const tensor = opType === 'Constant' ? attribute?.[0]?.t : undefined;
      return tensor?.dims?.length === 3 ? [floatValues(tensor)] : [];
    });
    const [sizes = [], middles = []] = constants;
    const nothing = (width: number, fill: number) => ({
      name: '',
      dims: [1, 4420, width],
      data: new Float32Array(4420 * width).fill(fill),
    });
    const whole = { width: 320, height: 240 };
    const anchors = decodeUltraface([nothing(2, 1), nothing(4, 0)], 0, { x: 0, y: 0, ...whole }, 0.5, whole);
    expect(anchors).toHaveLength(4420);
    let difference = 0;
    for (const [index, { box }] of anchors.entries()) {
      const apart = [
        (box.x + box.width / 2) / 320 - (middles[index * 2] ?? 0),
        (box.y + box.height / 2) / 240 - (middles[index * 2 + 1] ?? 0),
        box.width / 320 - (sizes[index * 2] ?? 0),
        box.height / 240 - (sizes[index * 2 + 1] ?? 0),
      ];
      difference = Math.max(difference, ...apart.map(Math.abs));
    }
    expect(difference).toBeLessThan(1e-6);
  });

  test('gives the same bytes every time, and leaves a rewritten file as it is', () => {
    const once = rewriteGraph(sourceOf('faceplugin-512'), 'batch');
    expect(Buffer.compare(once, rewriteGraph(sourceOf('faceplugin-512'), 'batch'))).toBe(0);
    expect(Buffer.compare(once, rewriteGraph(once, 'batch'))).toBe(0);
  });

  test.each<[string, Uint8Array, Recipe]>([
    ['a text', Buffer.from('not a model at all'), 'batch'],
    ['nothing', Buffer.alloc(0), 'batch'],
    ['half a file', tinyModel().subarray(0, 60), 'batch'],
    ['a graph that is not SCRFD', tinyModel(), 'scrfd-batch'],
  ])('refuses %s', (_name, file, recipe) => {
    expect(() => rewriteGraph(file, recipe)).toThrow(expect.objectContaining({ code: 'model_contract' }));
  });
});
