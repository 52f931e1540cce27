import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { ModelEntry } from './manifest-schema.ts';

/** Input or output of a graph. A dimension is a number, or a name where it is dynamic. */
export interface GraphValue {
  readonly name: string;
  readonly dims: readonly (number | string)[];
}

export interface GraphShape {
  readonly inputs: readonly GraphValue[];
  readonly outputs: readonly GraphValue[];
}

/** Last dimension of every output, and the number of dimensions, by position. Files before a rewrite may lack the batch dimension. */
function outputsOf(output: ModelEntry['output']): { last: number[]; ranks: number[] } {
  switch (output.decoder) {
    case 'ultraface':
      return { last: [2, 4], ranks: [3] };
    case 'scrfd':
      return { last: [1, 1, 1, 4, 4, 4, 10, 10, 10], ranks: [2, 3] };
    case 'landmarks-68':
      return { last: [136], ranks: [2] };
    case 'embedding':
      return { last: [output.dimensions], ranks: [2] };
  }
}

/**
 * Compares a graph's inputs and outputs with what the manifest says of the model.
 * @param loadable the graph is the one that is loaded: it must take any number of pictures at once, and any size where the manifest says so
 * @throws {SecureGateError} `model_contract`, with everything that does not fit in the message
 */
export function checkContract(entry: ModelEntry, graph: GraphShape, loadable: boolean): void {
  const faults: string[] = [];
  const [input, ...more] = graph.inputs;
  if (input === undefined || more.length > 0) faults.push(`has ${graph.inputs.length} inputs instead of 1`);
  else faults.push(...inputFaults(entry.input, input, loadable));

  const { last, ranks } = outputsOf(entry.output);
  if (graph.outputs.length !== last.length) faults.push(`has ${graph.outputs.length} outputs instead of ${last.length}`);
  for (const [index, output] of graph.outputs.entries()) {
    const wanted = last[index];
    if (wanted === undefined) break;
    const allowed = loadable ? [Math.max(...ranks)] : ranks;
    if (!allowed.includes(output.dims.length)) {
      faults.push(`output ${output.name} has ${output.dims.length} dimensions instead of ${allowed.join(' or ')}`);
    } else if (!fits(output.dims.at(-1), wanted)) {
      faults.push(`output ${output.name} ends with ${output.dims.at(-1)} values instead of ${wanted}`);
    }
  }
  if (faults.length === 0) return;
  throw new SecureGateError('model_contract', `${entry.id}: the graph ${faults.join('; ')}`, { details: { model: entry.id, faults } });
}

function inputFaults(wanted: ModelEntry['input'], { name, dims }: GraphValue, loadable: boolean): string[] {
  if (dims.length !== 4) return [`input ${name} has ${dims.length} dimensions instead of 4`];
  const [batch, ...rest] = dims;
  const [channels, height, width] = wanted.layout === 'nchw' ? rest : [rest[2], rest[0], rest[1]];
  const faults: string[] = [];
  const depth = wanted.channels === 'grey' ? 1 : 3;
  if (!fits(channels, depth)) faults.push(`input ${name} takes ${channels} channels instead of ${depth}`);
  if (!fits(height, wanted.height) || !fits(width, wanted.width)) {
    faults.push(`input ${name} takes pictures of ${width}x${height} instead of ${wanted.width}x${wanted.height}`);
  }
  if (loadable && wanted.dynamicSize && (typeof height === 'number' || typeof width === 'number'))
    faults.push(`input ${name} takes one size only`);
  if (loadable && typeof batch === 'number') faults.push(`input ${name} takes only ${batch} picture at once`);
  return faults;
}

/** A dynamic dimension fits any number. */
function fits(dimension: number | string | undefined, wanted: number): boolean {
  return typeof dimension === 'string' || dimension === wanted;
}
