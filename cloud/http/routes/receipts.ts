import { pageOf, pageQuery } from '../../../shared/http/common.ts';
import { idSchema } from '../../../shared/ids/ids.ts';
import { ulidSchema } from '../../../shared/ids/ulid.ts';
import { receiptSchema } from '../../fleet/ledger/receipts.ts';
import type { AddRoutes } from '../cloud-api.ts';
import { orgParams } from './orgs.ts';

const listQuery = pageQuery.extend({ device: idSchema('box').optional(), command: ulidSchema.optional() });

export const addReceiptRoutes: AddRoutes = (api, { ledger: { receipts } }) => {
  const tags = ['receipts'];
  api.route({
    method: 'GET',
    url: '/v1/orgs/:org/receipts',
    config: { operation: 'receipts.list' },
    schema: { tags, params: orgParams, querystring: listQuery, response: { 200: pageOf(receiptSchema) } },
    handler: async ({ params, query }) => await receipts.list(params.org, query),
  });

  api.route({
    method: 'GET',
    url: '/v1/orgs/:org/receipts/:id',
    config: { operation: 'receipts.read' },
    schema: { tags, params: orgParams.extend({ id: ulidSchema }), response: { 200: receiptSchema } },
    handler: async ({ params }) => await receipts.get(params.org, params.id),
  });
};
