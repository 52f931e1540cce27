import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { ModelEntry } from '../registry/manifest-schema.ts';
import {
  decodeModel,
  encodeModel,
  floatTensor,
  int64Tensor,
  int64Values,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
  shapeOf,
} from './onnx-graph.ts';
import { splitPrelu } from './split-prelu.ts';

export type Recipe = NonNullable<ModelEntry['rewrite']>;

/**
 * Gives a model that takes one picture a dynamic batch dimension; weights stay as they are, and so does what is computed.
 *
 * `batch`: dimension 0 of inputs and outputs becomes `N`, remembered shapes in between are dropped, and a `Reshape` that
 * writes 1 for the batch copies it instead (0 in ONNX). `PRelu` is split, see `splitPrelu`.
 *
 * `scrfd-batch`: SCRFD's exporter moves the batch behind the pixels (`Transpose` 2,3,0,1) and flattens both together, so
 * the plain recipe would run and be silently wrong for every picture after the first. Here the batch stays in front
 * (0,2,3,1), `Reshape` keeps it ([0,-1,k]), and the two enlargements of the feature pyramid, whose sizes are computed with
 * a batch of 1, become fixed doublings. That is exact for pictures whose sides are multiples of 32.
 *
 * `ultraface-batch`: as `batch`, and pictures of other sizes too. Nothing but the anchors is made for one size: they are left out,
 * with all that is computed from them, so that `boxes` are what the network itself says of each anchor.
 *
 * The result depends on the file and the recipe alone, so that it can be made again to verify a copy.
 * @throws {SecureGateError} `model_contract` when the file is no ONNX model or is built otherwise than the recipe expects
 */
export function rewriteGraph(file: Uint8Array, recipe: Recipe): Uint8Array {
  const { model, graph } = decodeModel(file);
  const weights = new Set(graph.initializer.map((tensor) => tensor.name));
  for (const value of graph.input ?? []) if (!weights.has(value.name)) nameBatch(value);
  graph.valueInfo = [];
  if (recipe === 'scrfd-batch') keepBatchInFront(graph);
  else {
    for (const value of graph.output ?? []) nameBatch(value);
    copyBatchInReshape(graph);
    splitPrelu(graph);
  }
  if (recipe === 'ultraface-batch') leaveAnchorsOut(graph);
  dropUnused(graph);
  return encodeModel(model);
}

function nameBatch(value: OnnxValue): void {
  const dims = value.type?.tensorType?.shape?.dim;
  if (!dims?.length) throw unexpected(`${value.name} has no shape`);
  dims[0] = { dimParam: 'N' };
}

function copyBatchInReshape(graph: OnnxGraph): void {
  for (const node of nodesOf(graph, 'Reshape')) {
    const shape = constantOf(graph, node.input?.[1]);
    if (shape === undefined) continue;
    const [first, ...rest] = int64Values(shape);
    if (first === 1) setInput(graph, node, 1, int64Tensor(`${node.output?.[0]}_shape`, [0, ...rest]));
  }
}

function keepBatchInFront(graph: OnnxGraph): void {
  for (const node of nodesOf(graph, 'Resize')) {
    // Inputs: picture, region of interest, scales, sizes. Sizes and scales exclude each other.
    node.input = (node.input ?? []).slice(0, 2);
    setInput(graph, node, 2, floatTensor(`${node.output?.[0]}_scales`, [1, 1, 2, 2]));
  }
  for (const node of nodesOf(graph, 'Transpose')) {
    const order = node.attribute?.find((attribute) => attribute.name === 'perm');
    if (order?.ints?.map(Number).join() !== '2,3,0,1') throw unexpected(`Transpose ${node.output?.[0]} has another order`);
    order.ints = [0, 2, 3, 1];
  }
  for (const node of nodesOf(graph, 'Reshape')) {
    const shape = constantOf(graph, node.input?.[1]);
    const [first, values, ...more] = shape === undefined ? [] : int64Values(shape);
    if (first !== -1 || values === undefined || more.length > 0) throw unexpected(`Reshape ${node.output?.[0]} has another shape`);
    setInput(graph, node, 1, int64Tensor(`${node.output?.[0]}_shape`, [0, -1, values]));
  }
  for (const value of graph.output ?? []) {
    const dims = value.type?.tensorType?.shape?.dim;
    const values = dims?.at(-1);
    if (!value.type?.tensorType || !values) throw unexpected(`${value.name} has no shape`);
    value.type.tensorType.shape = { dim: [{ dimParam: 'N' }, { dimParam: `anchors_${value.name}` }, values] };
  }
}

/** The network says for each anchor how far the face is off; what follows makes corners of it, by anchors that are constants. */
function leaveAnchorsOut(graph: OnnxGraph): void {
  const [input] = shapeOf(graph).inputs;
  const side = graph.input?.find(({ name }) => name === input?.name)?.type?.tensorType?.shape?.dim;
  const [scores, boxes] = graph.output ?? [];
  const levels = nodesOf(graph, 'Concat').filter(({ input: parts }) =>
    parts?.every((part) => nodesOf(graph, 'Reshape').some(({ output }) => output?.includes(part))),
  );
  const softmax = nodesOf(graph, 'Softmax').find(({ output }) => output?.includes(scores?.name ?? ''));
  const offsets = levels.find(({ output }) => output?.[0] !== softmax?.input?.[0]);
  if (side?.length !== 4 || boxes === undefined || softmax === undefined || levels.length !== 2 || offsets === undefined) {
    throw unexpected('it is not built as UltraFace is');
  }
  side.splice(2, 2, { dimParam: 'H' }, { dimParam: 'W' });
  graph.node = graph.node.filter((node) => node === offsets || !node.output?.includes(boxes.name ?? ''));
  offsets.output = [boxes.name ?? ''];
  for (const value of [scores, boxes]) value?.type?.tensorType?.shape?.dim?.splice(1, 1, { dimParam: 'anchors' });
}

/** Removes what nothing needs any more: computations of sizes and replaced constants. */
function dropUnused(graph: OnnxGraph): void {
  const outputs = (graph.output ?? []).map((value) => value.name ?? '');
  for (;;) {
    const used = new Set([...outputs, ...graph.node.flatMap((node) => node.input ?? [])]);
    const kept = graph.node.filter((node) => node.output?.some((name) => used.has(name)));
    if (kept.length === graph.node.length) {
      graph.initializer = graph.initializer.filter((tensor) => used.has(tensor.name ?? ''));
      graph.input = (graph.input ?? []).filter((value) => used.has(value.name ?? ''));
      return;
    }
    graph.node = kept;
  }
}

function nodesOf(graph: OnnxGraph, type: string): OnnxNode[] {
  return graph.node.filter((node) => node.opType === type);
}

/** A constant is an initializer or the output of a `Constant` node. */
function constantOf(graph: OnnxGraph, name: string | undefined): OnnxTensor | undefined {
  const tensor = graph.initializer.find((candidate) => candidate.name === name);
  if (tensor !== undefined) return tensor;
  const node = graph.node.find((candidate) => candidate.opType === 'Constant' && name !== undefined && candidate.output?.includes(name));
  return node?.attribute?.[0]?.t ?? undefined;
}

/** Each node gets a constant of its own, since another node may use the old one for another purpose. */
function setInput(graph: OnnxGraph, node: OnnxNode, index: number, tensor: OnnxTensor): void {
  graph.initializer.push(tensor);
  node.input = Object.assign([...(node.input ?? [])], { [index]: tensor.name ?? '' });
}

function unexpected(message: string): SecureGateError {
  return new SecureGateError('model_contract', `the graph cannot be rewritten: ${message}`);
}
