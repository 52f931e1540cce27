import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { RgbImage } from '../../inference/image.ts';
import type { ModelSession } from '../../inference/model-session.ts';
import { packImages } from '../../inference/pack-images.ts';

export interface Embedder {
  /**
   * One embedding a face, in the order given: unit length, so that the dot product of two is their cosine similarity.
   * Each has memory of its own, which belongs to the caller.
   *
   * @param aligned faces of the model's input size, as `alignFace` makes them
   * @throws {SecureGateError} `inference_failed` also where the model gives a vector without a direction
   */
  embed(aligned: readonly RgbImage[]): Promise<Float32Array[]>;
}

/**
 * An embedder around a loaded model.
 *
 * @throws {SecureGateError} `model_contract` when the model gives no embeddings
 */
export function createEmbedder(session: ModelSession): Embedder {
  const { id, input, output } = session.model;
  if (output.decoder !== 'embedding') {
    throw new SecureGateError('model_contract', `Model ${id} gives no embeddings`, { details: { decoder: output.decoder } });
  }
  const { dimensions } = output;
  return {
    async embed(aligned) {
      if (aligned.length === 0) return [];
      const packed = packImages(aligned, input);
      const [vectors] = await session.run(packed, aligned.length).finally(() => packed.fill(0));
      if (vectors?.data.length !== aligned.length * dimensions) {
        throw new SecureGateError('inference_failed', `Embedder ${id} gave an output of another form`, {
          details: { dims: vectors?.dims ?? null },
        });
      }
      const { data } = vectors;
      const embeddings = aligned.map((_, index) => normalise(data.slice(index * dimensions, (index + 1) * dimensions), id));
      // The model's own output would otherwise keep the faces in memory until it is collected.
      data.fill(0);
      return embeddings;
    },
  };
}

/** Brings a vector to unit length, in place. */
function normalise(vector: Float32Array, id: string): Float32Array {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const length = Math.sqrt(squares);
  if (!Number.isFinite(length) || length === 0)
    throw new SecureGateError('inference_failed', `Embedder ${id} gave a vector without a direction`);
  for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] as number) / length;
  return vector;
}
