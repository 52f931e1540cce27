import { EMBEDDING_LENGTH } from '../gallery/embedding.ts';

/** A stored face. The model is not in it: it is the envelope's context. */
export interface FaceRecord {
  /** L2-normalised. */
  readonly embedding: Float32Array;
  /** The pipeline's overall figure, 0..1. */
  readonly quality: number;
  /** Milliseconds since the Unix epoch. */
  readonly enrolledAt: number;
}

const EMBEDDING_OFFSET = 12;

/**
 * enrolledAt (float64) | quality (float32) | embedding (float32 each), little-endian as the machines that we run on (x64, arm64).
 * The caller wipes the bytes.
 */
export function encodeFace(face: FaceRecord): Buffer {
  const { embedding } = face;
  const bytes = Buffer.alloc(EMBEDDING_OFFSET + embedding.byteLength);
  bytes.writeDoubleLE(face.enrolledAt, 0);
  bytes.writeFloatLE(face.quality, 8);
  bytes.set(new Uint8Array(embedding.buffer, embedding.byteOffset, embedding.byteLength), EMBEDDING_OFFSET);
  return bytes;
}

/** @param bytes what {@link encodeFace} made, authenticated; the embedding is a copy that the caller wipes */
export function decodeFace(bytes: Buffer): FaceRecord {
  const embedding = new Float32Array(EMBEDDING_LENGTH);
  new Uint8Array(embedding.buffer).set(bytes.subarray(EMBEDDING_OFFSET));
  return { enrolledAt: bytes.readDoubleLE(0), quality: bytes.readFloatLE(8), embedding };
}
