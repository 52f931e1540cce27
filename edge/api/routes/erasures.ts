import { pageOf, pageQuery } from '../../../shared/http/common.ts';
import type { Api, RouteContext } from '../api.ts';
import { tenantParams } from '../schemas/common.ts';
import { erasureSchema, erasuresSchema, movedSchema, newErasuresSchema } from '../schemas/erasures.ts';

const tags = ['customers'];

export function addErasureRoutes(api: Api, { box }: RouteContext): void {
  api.route({
    method: 'GET',
    url: '/v1/tenants/:tenant/erasures',
    config: { access: 'people:write' },
    schema: {
      summary: 'Who was erased, the last first, and how far that goes: of this box, or of every copy',
      tags,
      params: tenantParams,
      querystring: pageQuery,
      response: { 200: pageOf(erasureSchema) },
    },
    handler: ({ params, query }) => box.tenants.vault(params.tenant).listErasures(query),
  });

  api.route({
    method: 'POST',
    url: '/v1/tenants/:tenant/erasures',
    config: { access: 'people:write' },
    schema: {
      summary: 'Remove several customers at once, each as by DELETE; all of them, or nobody where one never was',
      tags,
      params: tenantParams,
      body: newErasuresSchema,
      response: { 200: erasuresSchema },
    },
    handler: async ({ params, body }) => ({ items: await box.tenants.vault(params.tenant).eraseCustomers(body.customerIds) }),
  });

  api.route({
    method: 'POST',
    url: '/v1/tenants/:tenant/erasures/move',
    config: { access: 'admin' },
    schema: {
      summary: 'Replace the tenant key now, so that older copies of the data open no more with the key that is on the box',
      description: 'On a stand-alone box the key is another file then: keep a new copy of it, and destroy the copies of the one before.',
      tags,
      params: tenantParams,
      response: { 200: movedSchema },
    },
    handler: async ({ params }) => {
      const { epoch } = await box.tenants.vault(params.tenant).moveEpoch();
      return { epoch };
    },
  });
}
