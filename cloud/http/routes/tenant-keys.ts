import { epochMoveSchema, readTenantKeys, tenantKeysSchema } from '../../tenants/tenant-keys.ts';
import type { AddRoutes } from '../cloud-api.ts';
import { tenantParams } from './tenants.ts';

/** The keys of a tenant as the KMS tells of them. They themselves come to boxes alone. */
export const addTenantKeyRoutes: AddRoutes = (api, { tenants, kms }) => {
  const tags = ['keys'];
  api.route({
    method: 'GET',
    url: '/v1/orgs/:org/tenants/:tenant/keys',
    config: { operation: 'keys.read' },
    schema: { tags, params: tenantParams, response: { 200: tenantKeysSchema } },
    handler: async ({ params: { org, tenant } }) => {
      await tenants.get(org, tenant);
      return await readTenantKeys(kms, org, tenant);
    },
  });

  api.route({
    method: 'POST',
    url: '/v1/orgs/:org/tenants/:tenant/epoch-moves',
    config: { operation: 'epoch-moves.create', usesHsm: true },
    schema: {
      tags,
      description: 'The epoch that is named is made once: asked for again, nothing changes.',
      params: tenantParams,
      body: epochMoveSchema,
      response: { 201: tenantKeysSchema },
    },
    handler: async ({ params: { org, tenant }, body: { epoch } }, reply) => {
      await tenants.get(org, tenant);
      await kms.call('createEpoch', { org, tenant, epoch });
      return reply.code(201).send(await readTenantKeys(kms, org, tenant));
    },
  });
};
