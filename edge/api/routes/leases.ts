import { pageOf } from '../../../shared/http/common.ts';
import type { Api, RouteContext } from '../api.ts';
import { tenantParams } from '../schemas/common.ts';
import { leaseRequestSchema, leaseStatusSchema, newLeaseSchema } from '../schemas/leases.ts';

const tags = ['leases'];

export function addLeaseRoutes(api: Api, { box }: RouteContext): void {
  api.route({
    method: 'GET',
    url: '/v1/leases',
    config: { access: 'admin' },
    schema: { summary: 'Leases of the tenants whose keys come from a KMS', tags, response: { 200: pageOf(leaseStatusSchema) } },
    handler: async () => ({ items: [...(await box.leases.list())], next: null }),
  });

  api.route({
    method: 'GET',
    url: '/v1/tenants/:tenant/lease',
    config: { access: 'admin' },
    schema: { summary: 'The lease of one tenant', tags, params: tenantParams, response: { 200: leaseStatusSchema } },
    handler: async ({ params }) => box.leases.get(params.tenant),
  });

  api.route({
    method: 'POST',
    url: '/v1/tenants/:tenant/lease/requests',
    config: { access: 'admin' },
    schema: {
      summary: 'Make a request for a lease that travels on a stick; it waits for a week, or until the next one is made',
      tags,
      params: tenantParams,
      response: { 201: leaseRequestSchema },
    },
    handler: async ({ params }, reply) => reply.code(201).send({ request: await box.leases.request(params.tenant) }),
  });

  api.route({
    method: 'PUT',
    url: '/v1/tenants/:tenant/lease',
    config: { access: 'admin' },
    schema: {
      summary: 'Give the box the answer to such a request; a closed tenant is open with it',
      tags,
      params: tenantParams,
      body: newLeaseSchema,
      response: { 200: leaseStatusSchema },
    },
    handler: async ({ params, body }) => {
      const [encapsulated, sealed] = [Buffer.from(body.encapsulated, 'base64url'), Buffer.from(body.sealed, 'base64url')];
      return box.leases.accept(params.tenant, { ...body, encapsulated, sealed });
    },
  });
}
