import { pageOf, pageQuery } from '../../../shared/http/common.ts';
import { idempotencyHeaders, versionHeaders } from '../../../shared/http/headers.ts';
import { expectedVersion, setVersion } from '../../../shared/http/versions.ts';
import { slugSchema } from '../../../shared/ids/ids.ts';
import { whenThere } from '../../../shared/runtime/when-there.ts';
import { newTenantSchema, tenantPatchSchema, tenantSchema } from '../../tenants/org.ts';
import type { AddRoutes } from '../cloud-api.ts';
import { orgParams } from './orgs.ts';

export const tenantParams = orgParams.extend({ tenant: slugSchema });
export const addTenantRoutes: AddRoutes = (api, { tenants, desired, idempotency }) => {
  const tags = ['tenants'];
  api.route({
    method: 'GET',
    url: '/v1/orgs/:org/tenants',
    config: { operation: 'tenants.list' },
    schema: { tags, params: orgParams, querystring: pageQuery, response: { 200: pageOf(tenantSchema) } },
    handler: async ({ params, query }) => await tenants.list(params.org, query),
  });

  api.route({
    method: 'POST',
    url: '/v1/orgs/:org/tenants',
    config: { operation: 'tenants.create', usesHsm: true },
    schema: { tags, params: orgParams, headers: idempotencyHeaders, body: newTenantSchema, response: { 201: tenantSchema } },
    handler: async (request, reply) => {
      const { org } = request.params;
      const { id, ...fields } = request.body;
      const tenant = await idempotency.once(request, id, { make: () => tenants.create(org, id, fields), read: () => tenants.get(org, id) });
      setVersion(reply, tenant.version);
      return reply.code(201).header('location', `/v1/orgs/${org}/tenants/${id}`).send(tenant);
    },
  });

  api.route({
    method: 'GET',
    url: '/v1/orgs/:org/tenants/:tenant',
    config: { operation: 'tenants.read' },
    schema: { tags, params: tenantParams, response: { 200: tenantSchema } },
    handler: ({ params }, reply) =>
      whenThere(tenants.get(params.org, params.tenant), (tenant) => {
        setVersion(reply, tenant.version);
        return tenant;
      }),
  });

  api.route({
    method: 'PATCH',
    url: '/v1/orgs/:org/tenants/:tenant',
    config: { operation: 'tenants.change' },
    schema: { tags, params: tenantParams, headers: versionHeaders, body: tenantPatchSchema, response: { 200: tenantSchema } },
    handler: async (request, reply) => {
      const { org, tenant: id } = request.params;
      const tenant = await tenants.change(org, id, request.body, expectedVersion(request));
      if (request.body.policies !== undefined) await desired.wakeAll(org);
      setVersion(reply, tenant.version);
      return tenant;
    },
  });
};
