import { noContent } from '../../../shared/http/answers.ts';
import { pageOf } from '../../../shared/http/common.ts';
import { idempotencyHeaders, versionHeaders } from '../../../shared/http/headers.ts';
import { expectedVersion, setVersion } from '../../../shared/http/versions.ts';
import { newId } from '../../../shared/ids/ids.ts';
import type { Api, RouteContext } from '../api.ts';
import { tenantParams } from '../schemas/common.ts';
import { recordParams, VENUE_RECORDS } from '../schemas/venue.ts';
import { createdWebhookSchema, deadLetterSchema, redeliveredSchema, webhookSchema } from '../schemas/venue-views.ts';

const tags = ['webhooks'];
const url = '/v1/tenants/:tenant/webhooks';

export function addWebhookRoutes(api: Api, { box, idempotency }: RouteContext): void {
  api.route({
    method: 'GET',
    url,
    config: { access: 'webhooks' },
    schema: { summary: 'List webhooks', tags, params: tenantParams, response: { 200: pageOf(webhookSchema) } },
    handler: async ({ params }) => {
      const { id } = box.tenants.get(params.tenant);
      return { items: box.webhooks.list(id).map((webhook) => ({ ...webhook })), next: null };
    },
  });

  api.route({
    method: 'POST',
    url,
    config: { access: 'webhooks' },
    schema: {
      headers: idempotencyHeaders,
      summary: 'Add a webhook; its signing secret is shown in this answer and never again',
      description:
        'What it is sent, how that is signed and how often it is tried: see `webhooks` of this document. A receiver in a private network has to be allowed in the configuration (`webhooks.allowPrivateTargets`).',
      tags,
      params: tenantParams,
      body: VENUE_RECORDS.webhooks,
      response: { 201: createdWebhookSchema },
    },
    handler: async (request, reply) => {
      const { tenant } = request.params;
      box.tenants.get(tenant);
      let secret: string | null = null;
      const webhook = await idempotency.once(request, newId('record'), {
        make: async (id) => {
          ({ secret } = await box.webhooks.add(tenant, request.body, id));
        },
        read: async (id) => box.webhooks.get(tenant, id),
      });
      setVersion(reply, webhook.version);
      reply.header('location', `/v1/tenants/${tenant}/webhooks/${webhook.id}`);
      return reply.code(201).send({ ...webhook, secret });
    },
  });

  api.route({
    method: 'GET',
    url: `${url}/:id`,
    config: { access: 'webhooks' },
    schema: { summary: 'Read a webhook', tags, params: recordParams, response: { 200: webhookSchema } },
    handler: async ({ params }, reply) => {
      const webhook = box.webhooks.get(params.tenant, params.id);
      setVersion(reply, webhook.version);
      return webhook;
    },
  });

  api.route({
    method: 'PUT',
    url: `${url}/:id`,
    config: { access: 'webhooks' },
    schema: {
      headers: versionHeaders,
      summary: 'Replace a webhook; its signing secret stays',
      tags,
      params: recordParams,
      body: VENUE_RECORDS.webhooks,
      response: { 200: webhookSchema },
    },
    handler: async (request, reply) => {
      const { tenant, id } = request.params;
      const webhook = await box.webhooks.change(tenant, id, request.body, expectedVersion(request));
      setVersion(reply, webhook.version);
      return webhook;
    },
  });

  api.route({
    method: 'DELETE',
    url: `${url}/:id`,
    config: { access: 'webhooks' },
    schema: { headers: versionHeaders, summary: 'Remove a webhook', tags, params: recordParams, response: { 204: noContent } },
    handler: async (request, reply) => {
      const { tenant, id } = request.params;
      await box.webhooks.remove(tenant, id, expectedVersion(request));
      return reply.code(204).send();
    },
  });

  api.route({
    method: 'GET',
    url: `${url}/:id/dead-letters`,
    config: { access: 'webhooks' },
    schema: {
      summary: 'Deliveries that were given up, the newest first',
      tags,
      params: recordParams,
      response: { 200: pageOf(deadLetterSchema) },
    },
    handler: async ({ params }) => {
      const letters = box.webhooks.deadLetters(params.tenant, params.id);
      return { items: letters.map((letter) => ({ ...letter })), next: null };
    },
  });

  api.route({
    method: 'POST',
    url: `${url}/:id/dead-letters/redeliver`,
    config: { access: 'webhooks' },
    schema: {
      summary: 'Try the given-up deliveries again, as far as their sightings are still there',
      tags,
      params: recordParams,
      response: { 202: redeliveredSchema },
    },
    handler: async ({ params }, reply) => reply.code(202).send({ redelivered: await box.webhooks.redeliver(params.tenant, params.id) }),
  });
}
