import swagger from '@fastify/swagger';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { OpenAPIV3_1 } from 'openapi-types';
import { tidyComponents } from '../../../shared/http/tidy-components.ts';
import { withProblems } from '../../../shared/http/with-problems.ts';
import type { Api } from '../api.ts';
import type { Access } from '../auth/principal.ts';
import { PLAIN_SESSION_COOKIE } from '../auth/session-cookie.ts';
import { PICTURE_TYPES } from './pictures.ts';
import { WEBHOOK_CALL } from './webhook-call.ts';

const DESCRIPTION = `The API of one SecureGate box. Every path under \`/v1/tenants/{tenant}\` belongs to one tenant, and a key opens that of its own tenant alone; the streams \`/v1/live\` and \`/v1/sightings/stream\` name their tenants in the query. By the host name of a tenant, nobody reaches another one.
Refusals are problem details (RFC 9457); their \`code\` is stable. Lists come page by page: \`next\` of an answer is the \`cursor\` of the following request.
Changes take the version of what they are based on in \`If-Match\`; requests that make something take an \`Idempotency-Key\`.
\`x-access\` of an operation is the scope that a key needs for it; \`admin\` takes the admin token or a session, \`session\` a session, \`public\` nothing. Whoever asks too often is answered 429, with \`Retry-After\`.`;

/** Collects the routes as they are added; `GET /openapi.json` tells them. */
export async function addOpenApi(api: Api, version: string): Promise<void> {
  await api.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'SecureGate box', version, description: DESCRIPTION, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
      webhooks: { sighting: WEBHOOK_CALL },
      components: {
        securitySchemes: {
          token: {
            type: 'http',
            scheme: 'bearer',
            description:
              "API key of a tenant (`sgk_…`), the box's admin token (`sga_…`), or where an issuer is configured its access token (RFC 9068) for `securegate-box`.",
          },
          session: {
            type: 'apiKey',
            in: 'cookie',
            name: PLAIN_SESSION_COOKIE,
            description: "The admin's browser session, begun by POST /v1/session; with TLS the name begins with `__Host-`.",
          },
        },
      },
    },
    transform: (document) => {
      const { schema, url } = jsonSchemaTransform(document);
      const access = document.route.config?.access ?? 'public';
      const { takesPicture, gives } = document.route.config ?? {};
      const body = takesPicture ? { body: { content: contentOf(PICTURE_TYPES) } } : {};
      const response = gives === undefined ? {} : { response: { 200: { description: 'As it is', content: contentOf([gives]) } } };
      return { schema: { ...schema, ...body, ...response, security: securityOf(access), 'x-access': access }, url };
    },
    transformObject: (document) => tidyComponents(withProblems(jsonSchemaTransformObject(document) as OpenAPIV3_1.Document)),
  });
  api.get('/openapi.json', { config: { access: 'public' }, schema: { hide: true } }, async () => api.swagger());
}

function contentOf(types: readonly string[]): object {
  return Object.fromEntries(types.map((type) => [type, { schema: { type: 'string', contentMediaType: type } }]));
}

function securityOf(access: Access): Record<string, string[]>[] {
  if (access === 'public') return [];
  return access === 'session' ? [{ session: [] }] : [{ token: [] }, { session: [] }];
}
