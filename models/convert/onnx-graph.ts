import onnxProto from 'onnx-proto';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { GraphShape, GraphValue } from '../registry/check-contract.ts';

const { onnx } = onnxProto;

export type OnnxModel = onnxProto.onnx.ModelProto;
export type OnnxNode = onnxProto.onnx.INodeProto;
export type OnnxTensor = onnxProto.onnx.ITensorProto;
export type OnnxValue = onnxProto.onnx.IValueInfoProto;
export type OnnxGraph = onnxProto.onnx.IGraphProto & { node: OnnxNode[]; initializer: OnnxTensor[] };

/**
 * Reads an ONNX file's protobuf without running anything of it.
 * @throws {SecureGateError} `model_contract` when it is no ONNX model
 */
export function decodeModel(file: Uint8Array): { model: OnnxModel; graph: OnnxGraph } {
  let model: OnnxModel;
  try {
    model = onnx.ModelProto.decode(file);
  } catch (cause) {
    throw new SecureGateError('model_contract', 'the file is not an ONNX model', { cause });
  }
  const { graph } = model;
  if (!graph?.node?.length) throw new SecureGateError('model_contract', 'the file is not an ONNX model: it holds no graph');
  return { model, graph: Object.assign(graph, { node: graph.node, initializer: graph.initializer ?? [] }) };
}

export function encodeModel(model: OnnxModel): Uint8Array {
  return onnx.ModelProto.encode(model).finish();
}

/** Inputs and outputs of a graph. Old files list their weights among the inputs; those are left out. */
export function shapeOf(graph: OnnxGraph): GraphShape {
  const weights = new Set(graph.initializer.map((tensor) => tensor.name));
  const inputs = (graph.input ?? []).filter((value) => !weights.has(value.name));
  return { inputs: inputs.map(toGraphValue), outputs: (graph.output ?? []).map(toGraphValue) };
}

function toGraphValue(value: OnnxValue): GraphValue {
  const dims = value.type?.tensorType?.shape?.dim ?? [];
  // A dimension of 0 is how some exporters write "unknown".
  return { name: value.name ?? '', dims: dims.map((dim) => dim.dimParam || Number(dim.dimValue ?? 0) || '?') };
}

/** The values of a one-dimensional int64 tensor. */
export function int64Values(tensor: OnnxTensor): number[] {
  const raw = tensor.rawData;
  if (!raw?.length) return (tensor.int64Data ?? []).map(Number);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return Array.from({ length: raw.byteLength / 8 }, (_, index) => Number(view.getBigInt64(index * 8, true)));
}

/** A one-dimensional int64 constant, as the shape of a `Reshape` is. */
export function int64Tensor(name: string, values: readonly number[]): OnnxTensor {
  const rawData = new Uint8Array(new BigInt64Array(values.map(BigInt)).buffer);
  return { name, dataType: onnx.TensorProto.DataType.INT64, dims: [values.length], rawData };
}

/** The values of a float32 tensor. */
export function floatValues(tensor: OnnxTensor): number[] {
  const raw = tensor.rawData;
  if (!raw?.length) return [...(tensor.floatData ?? [])];
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return Array.from({ length: raw.byteLength / 4 }, (_, index) => view.getFloat32(index * 4, true));
}

/** A one-dimensional float32 constant, as the scales of a `Resize` are. */
export function floatTensor(name: string, values: readonly number[]): OnnxTensor {
  const rawData = new Uint8Array(new Float32Array(values).buffer);
  return { name, dataType: onnx.TensorProto.DataType.FLOAT, dims: [values.length], rawData };
}
