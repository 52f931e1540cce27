import { access } from 'node:fs/promises';
import { checkContract, type GraphValue } from '../../models/registry/check-contract.ts';
import type { ModelEntry } from '../../models/registry/manifest-schema.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { ExecutionProvider, ModelSession, OutputTensor } from './model-session.ts';
import { InferenceSession, Tensor } from './onnx-runtime.ts';

/** A model of the manifest with its file on this box. */
export interface ModelFile {
  readonly entry: ModelEntry;
  /** File as the registry keeps it, with its dynamic batch dimension. */
  readonly path: string;
}

export interface LoadModelOptions extends ModelFile {
  readonly provider: ExecutionProvider;
}

/**
 * Loads a model and checks that its graph is the one that the manifest describes.
 * One thread per session: on a box whose cores are busy with cameras, two threads are slower than one.
 * @throws {SecureGateError} `model_missing`, `model_contract`
 */
export async function loadModel({ entry, path, provider }: LoadModelOptions): Promise<ModelSession> {
  await access(path).catch((cause: unknown) => {
    throw new SecureGateError('model_missing', `${entry.id}: no file ${path}`, { cause, details: { model: entry.id, path } });
  });
  const session = await createSession(entry, path, provider);
  try {
    checkContract(entry, { inputs: session.inputMetadata.map(toGraphValue), outputs: session.outputMetadata.map(toGraphValue) }, true);
  } catch (error) {
    await session.release();
    throw error;
  }
  return new OnnxSession(entry, provider, session);
}

async function createSession(entry: ModelEntry, path: string, provider: ExecutionProvider): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(path, {
      // An operator that the accelerator lacks runs on the CPU.
      executionProviders: provider === 'cpu' ? ['cpu'] : [provider, 'cpu'],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SecureGateError('model_contract', `${entry.id}: ONNX Runtime cannot load it: ${reason}`, {
      cause,
      details: { model: entry.id, path, provider },
    });
  }
}

function toGraphValue(value: InferenceSession.ValueMetadata): GraphValue {
  // A dynamic dimension comes as its name, or as -1 where it has none.
  const dims = value.isTensor ? value.shape.map((dim) => (dim === -1 ? '?' : dim)) : [];
  return { name: value.name, dims };
}

class OnnxSession implements ModelSession {
  readonly model: ModelEntry;
  readonly provider: ExecutionProvider;
  #session: InferenceSession | null;

  constructor(model: ModelEntry, provider: ExecutionProvider, session: InferenceSession) {
    this.model = model;
    this.provider = provider;
    this.#session = session;
  }

  async run(
    input: Float32Array,
    batch: number,
    size?: { readonly width: number; readonly height: number },
  ): Promise<readonly OutputTensor[]> {
    const session = this.#session;
    if (session === null) throw this.#failure('the session is closed');
    const dims = this.#dimensions(batch, size);
    const values = dims.reduce((product, dim) => product * dim, 1);
    if (values === 0 || input.length !== values) throw this.#failure(`${input.length} values given for an input of ${dims.join('x')}`);
    const name = session.inputNames[0] ?? '';
    let results: InferenceSession.ReturnType;
    try {
      results = await session.run({ [name]: new Tensor('float32', input, dims) });
    } catch (cause) {
      throw this.#failure(cause instanceof Error ? cause.message : String(cause), cause);
    }
    return session.outputNames.map((output) => {
      const tensor = results[output];
      if (!(tensor?.data instanceof Float32Array)) throw this.#failure(`output ${output} holds no float32 values`);
      return { name: output, dims: tensor.dims, data: tensor.data };
    });
  }

  async close(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await session?.release();
  }

  #dimensions(batch: number, size?: { readonly width: number; readonly height: number }): number[] {
    const { input } = this.model;
    if (size !== undefined && !input.dynamicSize) throw this.#failure('the model takes pictures of one size only');
    const { width, height } = size ?? input;
    const channels = input.channels === 'grey' ? 1 : 3;
    return input.layout === 'nchw' ? [batch, channels, height, width] : [batch, height, width, channels];
  }

  #failure(reason: string, cause?: unknown): SecureGateError {
    return new SecureGateError('inference_failed', `${this.model.id}: ${reason}`, { cause, details: { model: this.model.id } });
  }
}
