import swagger from '@fastify/swagger';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { OpenAPIV3_1 } from 'openapi-types';
import type { HttpApi } from '../../../shared/http/http-api.ts';
import { tidyComponents } from '../../../shared/http/tidy-components.ts';
import { withProblems } from '../../../shared/http/with-problems.ts';
import { OPERATIONS, type Operation } from '../../iam/operations.ts';

const DESCRIPTION = `The API of the SecureGate control plane. It never sees a face, an embedding, a guest's name or a tenant's key.
Refusals are problem details (RFC 9457); their \`code\` is stable. Lists come page by page: \`next\` of an answer is the \`cursor\` of the following request.
Changes take the version of what they are based on in \`If-Match\`; requests that make something take an \`Idempotency-Key\`.
\`x-roles\` of an operation are the roles that may do it, and \`x-operation\` is its name in the audit log.`;

/** Collects the routes as they are added; `GET /openapi.json` tells them, with who may do what from the table of operations. */
export async function addOpenApi(api: HttpApi, version: string): Promise<void> {
  await api.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'SecureGate control plane',
        version,
        description: DESCRIPTION,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: {
        securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'Access token (RFC 9068).' } },
      },
    },
    transform: (document) => {
      const { schema, url } = jsonSchemaTransform(document);
      const { operation = 'open' } = document.route.config ?? {};
      if (operation === 'open') return { schema: { ...schema, security: [] }, url };
      const { title, roles, feature }: Operation = OPERATIONS[operation];
      const told = {
        summary: title,
        'x-operation': operation,
        'x-roles': roles,
        ...(feature === undefined ? {} : { 'x-feature': feature }),
      };
      return { schema: { ...schema, ...told, security: [{ token: [] }] }, url };
    },
    transformObject: (document) => tidyComponents(withProblems(jsonSchemaTransformObject(document) as OpenAPIV3_1.Document)),
  });
  api.get('/openapi.json', { config: { operation: 'open' }, schema: { hide: true } }, async () => api.swagger());
}
