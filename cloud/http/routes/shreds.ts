import { z } from 'zod';
import { pageOf, pageQuery } from '../../../shared/http/common.ts';
import { idempotencyHeaders } from '../../../shared/http/headers.ts';
import { setVersion } from '../../../shared/http/versions.ts';
import { ulidSchema } from '../../../shared/ids/ulid.ts';
import { publicKeySchema } from '../../../shared/lease/public-key.ts';
import { deletionReceiptSchema } from '../../../shared/receipts/receipt.ts';
import { newShredSchema, shredSchema } from '../../shred/shred.ts';
import type { AddRoutes } from '../cloud-api.ts';
import { EXAMPLE_KEY } from './example-key.ts';
import { orgParams } from './orgs.ts';

const HASH = 'XcnaeacGWaminVWctwHe2aKrnYI6rS9JYM_jcO_0YDK';
const TOKEN = 'eyJhbGciOiJFUzI1NiJ9.eyJvcmciOiJhY21lIn0.c2ln';
export const receiptFileSchema = deletionReceiptSchema.meta({
  id: 'DeletionReceipt',
  examples: [
    {
      version: 2,
      statement: TOKEN,
      words: [{ token: TOKEN, receipt: '01KAMV8Z0000000000000000BB', salt: HASH, loggedAt: 1_795_000_000_000, leaf: 41, proof: [HASH] }],
      head: TOKEN,
      issued: { salt: HASH, loggedAt: 1_795_000_003_000, leaf: 43, proof: [HASH] },
      destructions: [
        {
          ...{ epoch: null, at: 1_795_000_001_000, call: '00c0ffee00c0ffee', evidence: HASH },
          ...{ salt: HASH, loggedAt: 1_795_000_002_000, leaf: 42, proof: [HASH] },
        },
      ],
    },
  ],
});
const receiptKeysSchema = z.strictObject({ keys: z.array(publicKeySchema) }).meta({
  id: 'ReceiptKeys',
  examples: [
    {
      keys: [EXAMPLE_KEY],
    },
  ],
});
const shredParams = orgParams.extend({ id: ulidSchema });

/** A tenant goes by a shred alone, which several people decide. */
export const addShredRoutes: AddRoutes = (api, { shreds, deletionReceipts, idempotency, kms }) => {
  const tags = ['shreds'];
  api.route({
    method: 'GET',
    url: '/v1/orgs/:org/shreds',
    config: { operation: 'shreds.list' },
    schema: { tags, params: orgParams, querystring: pageQuery, response: { 200: pageOf(shredSchema) } },
    handler: async ({ params, query }) => await shreds.list(params.org, query),
  });

  api.route({
    method: 'POST',
    url: '/v1/orgs/:org/shreds',
    config: { operation: 'shreds.create' },
    schema: { tags, params: orgParams, headers: idempotencyHeaders, body: newShredSchema, response: { 201: shredSchema } },
    handler: async (request, reply) => {
      const { org } = request.params;
      const by = request.account?.id ?? '';
      const shred = await idempotency.once(request, shreds.newId(), {
        make: (id) => shreds.create(org, id, by, request.body),
        read: (id) => shreds.get(org, id),
      });
      setVersion(reply, shred.version);
      return reply.code(201).header('location', `/v1/orgs/${org}/shreds/${shred.id}`).send(shred);
    },
  });

  api.route({
    method: 'GET',
    url: '/v1/orgs/:org/shreds/:id',
    config: { operation: 'shreds.read' },
    schema: { tags, params: shredParams, response: { 200: shredSchema } },
    handler: async ({ params }, reply) => {
      const shred = await shreds.get(params.org, params.id);
      setVersion(reply, shred.version);
      return shred;
    },
  });

  api.route({
    method: 'POST',
    url: '/v1/orgs/:org/shreds/:id/approve',
    config: { operation: 'shreds.approve' },
    schema: { tags, params: shredParams, response: { 200: shredSchema } },
    handler: async (request, reply) => {
      const { org, id } = request.params;
      const shred = await shreds.approve(org, id, request.account?.id ?? '');
      setVersion(reply, shred.version);
      return shred;
    },
  });

  api.route({
    method: 'POST',
    url: '/v1/orgs/:org/shreds/:id/cancel',
    config: { operation: 'shreds.cancel' },
    schema: { tags, params: shredParams, response: { 200: shredSchema } },
    handler: async (request, reply) => {
      const { org, id } = request.params;
      const shred = await shreds.cancel(org, id);
      setVersion(reply, shred.version);
      return shred;
    },
  });

  api.route({
    method: 'GET',
    url: '/v1/orgs/:org/shreds/:id/receipt',
    config: { operation: 'shreds.read-receipt', usesHsm: true },
    schema: {
      tags,
      summary: 'How far it is, signed, with what each box signed: for `securegate receipt verify`',
      params: shredParams,
      response: { 200: receiptFileSchema },
    },
    handler: async ({ params }) => await deletionReceipts.ofShred(params.org, params.id),
  });

  api.route({
    method: 'GET',
    url: '/v1/receipt-keys',
    config: { operation: 'open' },
    schema: {
      tags,
      summary: 'Public keys by which the control plane signs receipts; whoever checks one compares them by another way',
      response: { 200: receiptKeysSchema },
    },
    handler: async () => ({ keys: (await kms.call('keyHistory', { use: 'audit' })).keys }),
  });
};
