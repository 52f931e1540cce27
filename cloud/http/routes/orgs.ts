import { z } from 'zod';
import { pageOf, pageQuery } from '../../../shared/http/common.ts';
import { idempotencyHeaders, versionHeaders } from '../../../shared/http/headers.ts';
import { expectedVersion, setVersion } from '../../../shared/http/versions.ts';
import { newId, slugSchema } from '../../../shared/ids/ids.ts';
import { nameSchema } from '../../../shared/ids/name-schema.ts';
import { emailSchema, principalSchema } from '../../iam/people.ts';
import { newOrgSchema, orgPatchSchema, orgSchema } from '../../tenants/org.ts';
import type { AddRoutes } from '../cloud-api.ts';

export const orgParams = z.strictObject({ org: slugSchema });
const ownChangeSchema = orgPatchSchema
  .pick({ name: true, branding: true, jurisdiction: true, keyPolicy: true })
  .meta({ id: 'OrgPatch', examples: [{ name: 'Acme Halls', keyPolicy: { leaseSeconds: 3600 } }] });
const planChangeSchema = orgPatchSchema
  .pick({ plan: true, features: true })
  .meta({ id: 'OrgPlanPatch', examples: [{ plan: 'standard', features: ['service-accounts'] }] });
const firstAdminSchema = z
  .strictObject({ name: nameSchema, email: emailSchema })
  .meta({ id: 'FirstAdmin', examples: [{ name: 'Ada', email: 'ada@acme.example' }] });

export const addOrgRoutes: AddRoutes = (api, { orgs, people, idempotency }) => {
  const tags = ['orgs'];
  api.route({
    method: 'GET',
    url: '/v1/orgs',
    config: { operation: 'orgs.list' },
    schema: { tags, querystring: pageQuery, response: { 200: pageOf(orgSchema) } },
    handler: async ({ query }) => await orgs.list(query),
  });

  api.route({
    method: 'POST',
    url: '/v1/orgs',
    config: { operation: 'orgs.create' },
    schema: { tags, headers: idempotencyHeaders, body: newOrgSchema, response: { 201: orgSchema } },
    handler: async (request, reply) => {
      const { id, ...fields } = request.body;
      const org = await idempotency.once(request, id, { make: () => orgs.create(id, fields), read: () => orgs.get(id) });
      setVersion(reply, org.version);
      return reply.code(201).header('location', `/v1/orgs/${org.id}`).send(org);
    },
  });

  api.route({
    method: 'GET',
    url: '/v1/orgs/:org',
    config: { operation: 'orgs.read' },
    schema: { tags, params: orgParams, response: { 200: orgSchema } },
    handler: async ({ params }, reply) => {
      const org = await orgs.get(params.org);
      setVersion(reply, org.version);
      return org;
    },
  });

  for (const [url, operation, body] of [
    ['/v1/orgs/:org', 'orgs.change', ownChangeSchema],
    ['/v1/orgs/:org/plan', 'orgs.change-plan', planChangeSchema],
  ] as const) {
    api.route({
      method: 'PATCH',
      url,
      config: { operation },
      schema: { tags, params: orgParams, headers: versionHeaders, body, response: { 200: orgSchema } },
      handler: async (request, reply) => {
        const org = await orgs.change(request.params.org, request.body, expectedVersion(request));
        setVersion(reply, org.version);
        return org;
      },
    });
  }

  api.route({
    method: 'POST',
    url: '/v1/orgs/:org/first-admin',
    config: { operation: 'orgs.name-first-admin' },
    schema: { tags, params: orgParams, headers: idempotencyHeaders, body: firstAdminSchema, response: { 201: principalSchema } },
    handler: async (request, reply) => {
      const { org } = request.params;
      const user = await idempotency.once(request, newId('user'), {
        make: (id) => people.nameFirstAdmin(org, id, request.body),
        read: (id) => people.get(org, id),
      });
      setVersion(reply, user.version);
      return reply.code(201).header('location', `/v1/orgs/${org}/users/${user.id}`).send(user);
    },
  });
};
