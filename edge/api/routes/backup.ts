import { PassThrough } from 'node:stream';
import type { Api, RouteContext } from '../api.ts';
import { tenantParams } from '../schemas/common.ts';

const TYPE = 'application/octet-stream';

export function addBackupRoute(api: Api, { box }: RouteContext): void {
  api.route({
    method: 'GET',
    url: '/v1/tenants/:tenant/backup',
    config: { access: 'admin', gives: TYPE },
    schema: {
      summary: "The tenant's data for a backup, encrypted as they are; broken off where something was removed meanwhile",
      tags: ['tenants'],
      params: tenantParams,
    },
    handler: async ({ params }, reply) => {
      const data = new PassThrough();
      // What it fails with comes out of the stream.
      box.tenants
        .vault(params.tenant)
        .copyData(data)
        .catch(() => undefined);
      return reply.type(TYPE).send(data);
    },
  });
}
