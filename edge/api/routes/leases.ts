import { pageOf } from '../../../shared/http/common.ts';
import type { Api, RouteContext } from '../api.ts';
import { tenantParams } from '../schemas/common.ts';
import { handOverSchema, keyRecoverySchema, leaseRequestSchema, leaseStatusSchema, newLeaseSchema } from '../schemas/leases.ts';

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
      summary: 'Make what travels to the KMS on a stick: requests for a lease, which wait for a week, and what the KMS has to be told',
      tags,
      params: tenantParams,
      response: { 201: leaseRequestSchema },
    },
    handler: async ({ params }, reply) => reply.code(201).send(await box.leases.request(params.tenant)),
  });

  api.route({
    method: 'POST',
    url: '/v1/tenants/:tenant/lease/hand-overs',
    config: { access: 'admin' },
    schema: {
      summary: 'Hand the key over to the HSM that takes the place of one that is lost; the recovery keys of the org have to have signed it',
      tags,
      params: tenantParams,
      body: keyRecoverySchema,
      response: { 201: handOverSchema },
    },
    handler: async ({ params, body }, reply) => reply.code(201).send({ token: await box.leases.handOver(params.tenant, body) }),
  });

  api.route({
    method: 'PUT',
    url: '/v1/tenants/:tenant/lease',
    config: { access: 'admin' },
    schema: {
      summary: 'Give the box what the KMS made of it; a closed tenant is open with it, and moves where the KMS has begun another epoch',
      tags,
      params: tenantParams,
      body: newLeaseSchema,
      response: { 200: leaseStatusSchema },
    },
    handler: async ({ params, body }) => {
      const answers = body.answers.map(({ encapsulated, sealed, ...answer }) => ({
        ...answer,
        encapsulated: Buffer.from(encapsulated, 'base64url'),
        sealed: Buffer.from(sealed, 'base64url'),
      }));
      return box.leases.accept(params.tenant, { answers });
    },
  });
}
