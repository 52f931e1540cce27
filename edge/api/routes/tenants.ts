import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { pageOf } from '../../../shared/http/common.ts';
import { idempotencyHeaders } from '../../../shared/http/headers.ts';
import type { Api, RouteContext } from '../api.ts';
import { newTenantSchema, tenantPatchSchema, tenantSchema, wipedSchema, wipeSchema } from '../schemas/box.ts';
import { tenantParams } from '../schemas/common.ts';

const tags = ['tenants'];

export function addTenantRoutes(api: Api, { box, idempotency }: RouteContext): void {
  api.route({
    method: 'GET',
    url: '/v1/tenants',
    config: { access: 'admin' },
    schema: { summary: 'Tenants of this box', tags, response: { 200: pageOf(tenantSchema) } },
    handler: async () => ({ items: box.tenants.list().map((tenant) => ({ ...tenant })), next: null }),
  });

  api.route({
    method: 'POST',
    url: '/v1/tenants',
    config: { access: 'admin' },
    schema: {
      headers: idempotencyHeaders,
      summary: 'Add a tenant with a vault of its own',
      tags,
      body: newTenantSchema,
      response: { 201: tenantSchema },
    },
    handler: async (request, reply) => {
      const tenant = await idempotency.once(request, request.body.id, {
        make: () => box.tenants.add(request.body),
        read: async (id) => box.tenants.get(id),
      });
      reply.header('location', `/v1/tenants/${tenant.id}`);
      return reply.code(201).send(tenant);
    },
  });

  api.route({
    method: 'GET',
    url: '/v1/tenants/:tenant',
    config: { access: 'admin' },
    schema: { summary: 'One tenant', tags, params: tenantParams, response: { 200: tenantSchema } },
    handler: async ({ params }) => box.tenants.get(params.tenant),
  });

  api.route({
    method: 'PATCH',
    url: '/v1/tenants/:tenant',
    config: { access: 'admin' },
    schema: {
      summary: "Change a tenant's policy; a threshold of null is the embedding model's own",
      tags,
      params: tenantParams,
      body: tenantPatchSchema,
      response: { 200: tenantSchema },
    },
    handler: async ({ params, body }) => {
      return box.tenants.change(params.tenant, body);
    },
  });

  api.route({
    method: 'POST',
    url: '/v1/tenants/:tenant/open',
    config: { access: 'admin' },
    schema: {
      summary: "Open a tenant's vault that failed, now that its files are mended; one that is open stays so",
      tags,
      params: tenantParams,
      response: { 200: tenantSchema },
    },
    handler: ({ params }) => box.tenants.open(params.tenant),
  });

  api.route({
    method: 'POST',
    url: '/v1/tenants/:tenant/wipe',
    config: { access: 'admin' },
    schema: {
      summary: 'Remove a tenant from this box for ever: its keys, its data, and its name, which never comes back here',
      tags,
      params: tenantParams,
      body: wipeSchema,
      response: { 200: wipedSchema },
    },
    handler: async ({ params: { tenant }, body }) => {
      if (body.confirm !== tenant) throw new SecureGateError('invalid_request', 'The tenant is not confirmed by its name');
      return await box.wipe(tenant);
    },
  });
}
