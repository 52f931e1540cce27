import { z } from 'zod';

/** Of requests that make something: repeated under the same key within a day, they make nothing twice. */
export const idempotencyHeaders = z.looseObject({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{8,200}$/, { error: '8 to 200 printable characters' })
    .optional()
    .describe('Random text, a UUID for example. The same request under the same key makes nothing twice within a day.'),
});

/** Of changes: the version that they are based on. Versions are 32-bit integers in Postgres, which a longer number would not fit. */
export const versionHeaders = z.looseObject({
  'if-match': z
    .string()
    .regex(/^(\*|"[0-9]{1,9}")$/, { error: 'not an ETag of this API' })
    .optional()
    .describe('ETag of what the change is based on; without it the change is made in any case.'),
});
