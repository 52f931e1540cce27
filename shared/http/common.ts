import { z } from 'zod';

/** RFC 9457 problem details with our stable `code`; every refusal has this form. */
export const problemSchema = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    /** Stable code of the error, see shared/errors/CODES.md. */
    code: z.string(),
    /** What to do next. */
    next: z.string(),
    details: z.record(z.string(), z.unknown()),
    /** Id of the request, as in the log. */
    requestId: z.string(),
  })
  .meta({ id: 'Problem' });

/** Lists are read page by page: `next` of one answer is `cursor` of the following request; null at the end. */
export const pageQuery = z.strictObject({
  cursor: z
    .string()
    .max(200)
    .regex(/^[\x20-\x7e]*$/)
    .optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

export function pageOf<Item extends z.ZodType>(item: Item) {
  const { examples = [] } = item.meta() ?? {};
  return z.strictObject({ items: z.array(item), next: z.string().nullable() }).meta({ examples: [{ items: examples, next: null }] });
}
