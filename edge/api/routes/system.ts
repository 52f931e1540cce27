import type { Api, RouteContext } from '../api.ts';
import { formatMetrics, METRICS_TYPE } from '../metrics.ts';
import { systemSchema } from '../schemas/box.ts';

export function addSystemRoutes(api: Api, { box, streams }: RouteContext): void {
  api.route({
    method: 'GET',
    url: '/metrics',
    config: { access: 'admin', gives: METRICS_TYPE },
    schema: { summary: 'Figures for Prometheus', tags: ['box'] },
    handler: async (_request, reply) =>
      reply.type(METRICS_TYPE).send(Buffer.from(await formatMetrics(box.stats(), box.stageTimes(), streams.size))),
  });

  api.route({
    method: 'GET',
    url: '/v1/system',
    config: { access: 'admin' },
    schema: { summary: 'Version, figures and models of the box', tags: ['box'], response: { 200: systemSchema } },
    handler: async () => ({ box: box.box, version: box.version, stats: box.stats(), models: box.models().map((model) => ({ ...model })) }),
  });
}
