import type { ModelEntry } from '../../models/registry/manifest-schema.ts';

/** One output of a model, in the order of the model's graph. */
export interface OutputTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

export const PROVIDERS = ['tensorrt', 'cuda', 'cpu'] as const;
export type ExecutionProvider = (typeof PROVIDERS)[number];

/** A loaded model on an execution provider. Runs on the thread that loaded it and blocks that thread while it computes. */
export interface ModelSession {
  readonly model: ModelEntry;
  readonly provider: ExecutionProvider;
  /**
   * @param input packed by `packImages`: `batch` pictures one after the other, float32
   * @param size width and height of the pictures where the model takes other ones than its nominal
   * @throws {SecureGateError} `inference_failed`
   */
  run(input: Float32Array, batch: number, size?: { readonly width: number; readonly height: number }): Promise<readonly OutputTensor[]>;
  close(): Promise<void>;
}
