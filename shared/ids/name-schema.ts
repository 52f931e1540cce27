import { z } from 'zod';

/**
 * A name that people read; no control characters, which Postgres and terminals do not take. Written without `\p{Cc}`: the pattern goes
 * into the OpenAPI document, where the flag that this needs is lost.
 */
export const nameSchema = z
  .string()
  .trim()
  .min(1)
  .max(120)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  .regex(/^[^\u0000-\u001f\u007f-\u009f]*$/, { error: 'no control characters' });
