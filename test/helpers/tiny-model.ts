import { createHash } from 'node:crypto';
import onnxProto from 'onnx-proto';
import { type Manifest, type ModelEntry, manifestSchema } from '../../models/registry/manifest-schema.ts';

const { onnx } = onnxProto;

function value(name: string, dims: readonly (number | string)[]): onnxProto.onnx.IValueInfoProto {
  const dim = dims.map((size) => (typeof size === 'string' ? { dimParam: size } : { dimValue: size }));
  return { name, type: { tensorType: { elemType: onnx.TensorProto.DataType.FLOAT, shape: { dim } } } };
}

/** An ONNX model that takes one 4x2 RGB picture and gives its 24 values as they are: a `Reshape` to [1,-1], as real exporters write it. */
export function tinyModel({ width = 4, values = 24 }: { width?: number; values?: number } = {}): Buffer {
  const shape = new Uint8Array(new BigInt64Array([1n, BigInt(values)]).buffer);
  const model = {
    irVersion: 6,
    opsetImport: [{ version: 9 }],
    graph: {
      name: 'tiny',
      node: [{ opType: 'Reshape', input: ['picture', 'shape'], output: ['embedding'] }],
      initializer: [{ name: 'shape', dataType: onnx.TensorProto.DataType.INT64, dims: [2], rawData: shape }],
      input: [value('picture', [1, 3, 2, width])],
      output: [value('embedding', [1, values])],
    },
  };
  return Buffer.from(onnx.ModelProto.encode(model).finish());
}

/** What a manifest says of `tinyModel()`. */
export function tinyEntry(changes: Partial<ModelEntry> = {}): ModelEntry {
  const file = tinyModel();
  return {
    id: 'tiny',
    task: 'face-embedding',
    title: 'Gives back what it is given',
    source: { type: 'operator', file: 'tiny.onnx', hint: 'Made by the test.' },
    sha256: createHash('sha256').update(file).digest('hex'),
    bytes: file.length,
    licence: { name: 'CC0-1.0', commercialUse: true, mustAccept: false },
    input: { layout: 'nchw', width: 4, height: 2, channels: 'rgb', mean: 0, std: 1, fit: 'aligned', pad: 0, dynamicSize: false },
    output: { decoder: 'embedding', dimensions: 24 },
    defaultThreshold: 0.5,
    postprocess: ['l2-normalise'],
    rewrite: 'batch',
    ...changes,
  };
}

/** A manifest whose only set, `small`, holds a detector that is never there and this embedder. */
export function tinyManifest(embedder: ModelEntry): Manifest {
  const detector = tinyEntry({ id: 'tiny-detector', task: 'face-detection', title: 'Detects nothing', sha256: '0'.repeat(64) });
  return manifestSchema.parse({
    models: [embedder, { ...detector, sha256: embedder.sha256 }],
    sets: { small: { title: 'Small', detector: 'tiny-detector', landmarks: null, embedder: embedder.id } },
    defaultSet: 'small',
  });
}
