import { z } from 'zod';

/** Bytes in JSON: base64url there, a Buffer here. */
export const bytesSchema = z.codec(z.base64url(), z.custom<Buffer>(Buffer.isBuffer), {
  decode: (text) => Buffer.from(text, 'base64url'),
  encode: (buffer) => buffer.toString('base64url'),
});

/** The KMS's answer to an export request: the tenant's key, sealed to the box, and the lease under which the box may use it. */
export const leaseAnswerSchema = z.strictObject({
  /** Encapsulated key of HPKE (`enc`), 32 bytes. */
  encapsulated: bytesSchema,
  sealed: bytesSchema,
  /** Hash of the RSA-OAEP inside, and of its mask generation. */
  oaepHash: z.enum(['sha1', 'sha256']),
  /** JWT of lease-token.ts. */
  lease: z.string().max(4096),
});
export type LeaseAnswer = z.output<typeof leaseAnswerSchema>;
