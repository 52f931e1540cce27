import { z } from 'zod';
import { pageOf, pageQuery } from '../../../shared/http/common.ts';
import { idempotencyHeaders, versionHeaders } from '../../../shared/http/headers.ts';
import { expectedVersion, setVersion } from '../../../shared/http/versions.ts';
import { newId, principalIdSchema, slugSchema } from '../../../shared/ids/ids.ts';
import { nameSchema } from '../../../shared/ids/name-schema.ts';
import { emailSchema, givenRoleSchema, type PrincipalKind, principalSchema } from '../../iam/people.ts';
import { ROLE_NAMES } from '../../iam/roles.ts';
import type { AddRoutes } from '../cloud-api.ts';
import { orgParams } from './orgs.ts';

const userParams = orgParams.extend({ id: principalIdSchema });
const roles = z.array(givenRoleSchema).max(32).default([]);
const changeSchema = z
  .strictObject({ name: nameSchema, active: z.boolean().describe('Off, the account opens nothing.') })
  .partial()
  .meta({ id: 'PrincipalPatch', examples: [{ active: false }] });

/** The two kinds of accounts, and what is needed to make one. */
const KINDS = [
  {
    kind: 'user',
    url: 'users',
    operation: 'users',
    body: z
      .strictObject({ name: nameSchema, email: emailSchema, roles })
      .meta({ id: 'NewUser', examples: [{ name: 'Bea', email: 'bea@acme.example', roles: [{ role: 'auditor' }] }] }),
  },
  {
    kind: 'service',
    url: 'service-accounts',
    operation: 'service-accounts',
    body: z
      .strictObject({ name: nameSchema, roles })
      .meta({ id: 'NewServiceAccount', examples: [{ name: 'Ticket shop', roles: [{ role: 'operator', tenant: 'main-hall' }] }] }),
  },
] as const satisfies readonly { kind: PrincipalKind; url: string; operation: string; body: z.ZodType }[];

export const addPeopleRoutes: AddRoutes = (api, { people, idempotency }) => {
  for (const { kind, url, operation, body } of KINDS) {
    const tags = [url];
    api.route({
      method: 'GET',
      url: `/v1/orgs/:org/${url}`,
      config: { operation: `${operation}.list` },
      schema: { tags, params: orgParams, querystring: pageQuery, response: { 200: pageOf(principalSchema) } },
      handler: async ({ params, query }) => await people.list(params.org, kind, query),
    });

    api.route({
      method: 'POST',
      url: `/v1/orgs/:org/${url}`,
      config: { operation: `${operation}.create` },
      schema: { tags, params: orgParams, headers: idempotencyHeaders, body, response: { 201: principalSchema } },
      handler: async (request, reply) => {
        const { org } = request.params;
        const { roles: given, ...person } = request.body;
        const account = await idempotency.once(request, newId(kind), {
          make: (id) => people.create(org, id, { kind, ...person }, given),
          read: (id) => people.get(org, id),
        });
        setVersion(reply, account.version);
        return reply.code(201).header('location', `/v1/orgs/${org}/users/${account.id}`).send(account);
      },
    });
  }

  const tags = ['users'];
  api.route({
    method: 'GET',
    url: '/v1/orgs/:org/users/:id',
    config: { operation: 'users.read' },
    schema: { tags, params: userParams, response: { 200: principalSchema } },
    handler: async ({ params }, reply) => {
      const account = await people.get(params.org, params.id);
      setVersion(reply, account.version);
      return account;
    },
  });

  api.route({
    method: 'PATCH',
    url: '/v1/orgs/:org/users/:id',
    config: { operation: 'users.change' },
    schema: { tags, params: userParams, headers: versionHeaders, body: changeSchema, response: { 200: principalSchema } },
    handler: async (request, reply) => {
      const { org, id } = request.params;
      const account = await people.change(org, id, request.body, expectedVersion(request));
      setVersion(reply, account.version);
      return account;
    },
  });

  api.route({
    method: 'POST',
    url: '/v1/orgs/:org/users/:id/roles',
    config: { operation: 'roles.give' },
    schema: { tags, params: userParams, body: givenRoleSchema, response: { 200: principalSchema } },
    handler: async ({ params, body }) => await people.giveRole(params.org, params.id, body),
  });

  api.route({
    method: 'DELETE',
    url: '/v1/orgs/:org/users/:id/roles/:role',
    config: { operation: 'roles.take' },
    schema: {
      tags,
      params: userParams.extend({ role: z.enum(ROLE_NAMES) }),
      querystring: z.strictObject({ tenant: slugSchema.optional() }),
      response: { 200: principalSchema },
    },
    handler: async ({ params, query }) => await people.takeRole(params.org, params.id, { role: params.role, tenant: query.tenant }),
  });
};
