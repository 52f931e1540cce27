import { pageOf, pageQuery } from '../../../shared/http/common.ts';
import { idempotencyHeaders } from '../../../shared/http/headers.ts';
import { ulidSchema } from '../../../shared/ids/ulid.ts';
import { erasureSchema, newErasureSchema } from '../../shred/erasures.ts';
import type { AddRoutes } from '../cloud-api.ts';
import { orgParams } from './orgs.ts';
import { receiptFileSchema } from './shreds.ts';
import { tenantParams } from './tenants.ts';

export const addErasureRoutes: AddRoutes = (api, { erasures, deletionReceipts, idempotency }) => {
  const tags = ['erasures'];
  api.route({
    method: 'POST',
    url: '/v1/orgs/:org/tenants/:tenant/erasures',
    config: { operation: 'erasures.create' },
    schema: { tags, params: tenantParams, headers: idempotencyHeaders, body: newErasureSchema, response: { 201: erasureSchema } },
    handler: async (request, reply) => {
      const { org, tenant } = request.params;
      const by = request.account?.id ?? '';
      const erasure = await idempotency.once(request, erasures.newId(), {
        make: (id) => erasures.create(org, tenant, id, by, request.body.customers),
        read: (id) => erasures.get(org, id),
      });
      return reply.code(201).header('location', `/v1/orgs/${org}/erasures/${erasure.id}`).send(erasure);
    },
  });

  api.route({
    method: 'GET',
    url: '/v1/orgs/:org/erasures',
    config: { operation: 'erasures.list' },
    schema: { tags, params: orgParams, querystring: pageQuery, response: { 200: pageOf(erasureSchema) } },
    handler: async ({ params, query }) => await erasures.list(params.org, query),
  });

  api.route({
    method: 'GET',
    url: '/v1/orgs/:org/erasures/:id',
    config: { operation: 'erasures.read' },
    schema: { tags, params: orgParams.extend({ id: ulidSchema }), response: { 200: erasureSchema } },
    handler: async ({ params }) => await erasures.get(params.org, params.id),
  });

  api.route({
    method: 'GET',
    url: '/v1/orgs/:org/erasures/:id/receipt',
    config: { operation: 'erasures.read-receipt', usesHsm: true },
    schema: {
      tags,
      summary: 'What each box said of it, signed: for `securegate receipt verify`',
      params: orgParams.extend({ id: ulidSchema }),
      response: { 200: receiptFileSchema },
    },
    handler: async ({ params }) => await deletionReceipts.ofErasure(params.org, params.id),
  });
};
