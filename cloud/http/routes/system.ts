import { z } from 'zod';
import type { AddRoutes } from '../cloud-api.ts';

const healthSchema = z.strictObject({ status: z.literal('ok') }).meta({ id: 'Health', examples: [{ status: 'ok' }] });
const readinessSchema = z
  .strictObject({
    ready: z.boolean(),
    parts: z.array(z.strictObject({ part: z.string(), ready: z.boolean(), reason: z.string().nullable(), what: z.string().nullable() })),
  })
  .meta({
    id: 'Readiness',
    examples: [
      {
        ready: true,
        parts: [
          { part: 'database', ready: true, reason: null, what: 'postgres' },
          { part: 'kms', ready: true, reason: null, what: 'SoftHSM v2, SoftHSM project' },
        ],
      },
    ],
  });

export const addSystemRoutes: AddRoutes = (api, { readiness }) => {
  const tags = ['system'];
  api.route({
    method: 'GET',
    url: '/healthz',
    config: { operation: 'open' },
    schema: { tags, summary: 'Whether the process answers', response: { 200: healthSchema } },
    handler: async () => ({ status: 'ok' as const }),
  });

  api.route({
    method: 'GET',
    url: '/readyz',
    config: { operation: 'open' },
    schema: {
      tags,
      summary: 'Whether database and KMS work, and where the keys really are',
      response: { 200: readinessSchema, 503: readinessSchema },
    },
    handler: async (_request, reply) => {
      const parts = await readiness();
      const ready = parts.every((part) => part.ready);
      return reply.code(ready ? 200 : 503).send({ ready, parts });
    },
  });
};
