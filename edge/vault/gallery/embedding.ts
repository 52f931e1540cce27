import { z } from 'zod';

/** Numbers in a face's embedding, whatever the model. */
export const EMBEDDING_LENGTH = 512;

/** float32 rounds the norm of 512 numbers by about 1e-6; more than this is not a normalised vector. */
const NORM_TOLERANCE = 1e-3;

/** An L2-normalised embedding. Not finite or not normalised: refused, since cosine and threshold would mean nothing. */
export const embeddingSchema = z
  .custom<Float32Array>((value) => value instanceof Float32Array, { error: 'not a Float32Array', abort: true })
  .refine((vector) => vector.length === EMBEDDING_LENGTH, { error: `not ${EMBEDDING_LENGTH} numbers` })
  .refine((vector) => Math.abs(norm(vector) - 1) <= NORM_TOLERANCE, { error: 'not L2-normalised' });

function norm(vector: Float32Array): number {
  let sum = 0;
  for (const value of vector) sum += value * value;
  return Math.sqrt(sum);
}
