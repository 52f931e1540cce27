import type { Api, RouteContext } from '../api.ts';
import { healthSchema, readinessSchema } from '../schemas/box.ts';

export function addHealthRoutes(api: Api, { box }: RouteContext): void {
  api.route({
    method: 'GET',
    url: '/healthz',
    config: { access: 'public' },
    schema: { summary: 'Whether the process answers', tags: ['box'], response: { 200: healthSchema } },
    handler: async () => ({ status: 'ok' as const }),
  });

  api.route({
    method: 'GET',
    url: '/readyz',
    config: { access: 'public' },
    schema: {
      summary: 'Whether every part of the box works, why not, and what somebody should see to',
      tags: ['box'],
      response: { 200: readinessSchema, 503: readinessSchema },
    },
    handler: async (_request, reply) => {
      const parts = box.health().map(({ part, ready, reason }) => ({ part, ready, reason }));
      const ready = parts.every((part) => part.ready);
      const warnings = [...new Set(box.stats().warnings.map(({ reason }) => reason))];
      return reply.code(ready ? 200 : 503).send({ ready, parts, warnings });
    },
  });
}
