import { z } from 'zod';
import type { AddRoutes } from '../cloud-api.ts';
import { orgParams } from './orgs.ts';

const entrySchema = z
  .strictObject({
    position: z.int(),
    at: z.iso.datetime(),
    request: z.string(),
    actor: z.string().nullable(),
    operation: z.string(),
    tenant: z.string().nullable(),
    target: z.string().nullable(),
    outcome: z.string().describe('`done`, or the code of the refusal.'),
  })
  .meta({ id: 'AuditEntry' });

const entriesSchema = z.strictObject({ items: z.array(entrySchema) }).meta({
  id: 'AuditEntries',
  examples: [
    {
      items: [
        {
          position: 42,
          at: '2027-03-01T08:00:00.000Z',
          request: '7f9c24e8-3b12-4d6a-9c5e-2f1b8a7d6e30',
          actor: 'usr_aaaaaaaaaaaaaaaaaaaaaaaaaa',
          operation: 'tenants.create',
          tenant: null,
          target: 'main-hall',
          outcome: 'done',
        },
      ],
    },
  ],
});

const listQuery = z.strictObject({
  before: z.coerce.number().int().min(1).optional().describe('Position of the last entry of the page before.'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

export const addAuditRoutes: AddRoutes = (api, { audit }) => {
  api.route({
    method: 'GET',
    url: '/v1/orgs/:org/audit',
    config: { operation: 'audit.read' },
    schema: {
      tags: ['audit'],
      params: orgParams,
      querystring: listQuery,
      response: { 200: entriesSchema },
    },
    handler: async ({ params, query }) => {
      const entries = await audit.list(params.org, query);
      const items = entries.map(({ position, at, request, actor, operation, tenant, target, outcome }) => ({
        ...{ position, request, operation, outcome },
        at: new Date(at).toISOString(),
        actor: actor || null,
        tenant: tenant || null,
        target: target || null,
      }));
      return { items };
    },
  });
};
