import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { noContent } from '../../../shared/http/answers.ts';
import { pageOf } from '../../../shared/http/common.ts';
import type { ApiKeyRecord } from '../../appliance/api-keys.ts';
import type { Api, RouteContext } from '../api.ts';
import { apiKeySchema, createdApiKeySchema, keyParams, newApiKeySchema, type Scope } from '../schemas/box.ts';
import { tenantParams } from '../schemas/common.ts';

const tags = ['api keys'];

export function addApiKeyRoutes(api: Api, { box, appliance, clock, streams }: RouteContext): void {
  api.route({
    method: 'GET',
    url: '/v1/tenants/:tenant/api-keys',
    config: { access: 'admin' },
    schema: { summary: 'Keys of a tenant, revoked ones too', tags, params: tenantParams, response: { 200: pageOf(apiKeySchema) } },
    handler: async ({ params }) => {
      const { id } = box.tenants.get(params.tenant);
      return { items: appliance.apiKeys.list(id).map(viewOf), next: null };
    },
  });

  api.route({
    method: 'POST',
    url: '/v1/tenants/:tenant/api-keys',
    config: { access: 'admin' },
    schema: {
      summary: 'Make a key; it is shown in this answer and never again',
      tags,
      params: tenantParams,
      body: newApiKeySchema,
      response: { 201: createdApiKeySchema },
    },
    handler: async ({ params, body }, reply) => {
      const { id } = box.tenants.get(params.tenant);
      const expiresAt = body.expiresAt === undefined ? null : Date.parse(body.expiresAt);
      if (expiresAt !== null && expiresAt <= clock.now()) {
        throw new SecureGateError('invalid_request', 'The key would have expired already', {
          details: { fields: [{ path: 'body.expiresAt', message: 'in the past' }] },
        });
      }
      const { record, key } = appliance.apiKeys.add(id, { title: body.title, scopes: [...new Set(body.scopes)], expiresAt });
      return reply.code(201).send({ ...viewOf(record), key });
    },
  });

  api.route({
    method: 'DELETE',
    url: '/v1/tenants/:tenant/api-keys/:keyId',
    config: { access: 'admin' },
    schema: { summary: 'Revoke a key; what it has open ends', tags, params: keyParams, response: { 204: noContent } },
    handler: async ({ params }, reply) => {
      appliance.apiKeys.revoke(box.tenants.get(params.tenant).id, params.keyId);
      await streams.checkAll();
      return reply.code(204).send();
    },
  });
}

function viewOf({ id, title, scopes, createdAt, expiresAt, revokedAt, lastUsedAt }: ApiKeyRecord) {
  const iso = (time: number | null): string | null => (time === null ? null : new Date(time).toISOString());
  return {
    id,
    title,
    scopes: scopes as Scope[],
    createdAt: new Date(createdAt).toISOString(),
    expiresAt: iso(expiresAt),
    revokedAt: iso(revokedAt),
    lastUsedAt: iso(lastUsedAt),
  };
}
