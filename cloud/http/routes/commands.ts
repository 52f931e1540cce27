import { z } from 'zod';
import { pageOf, pageQuery } from '../../../shared/http/common.ts';
import { idempotencyHeaders } from '../../../shared/http/headers.ts';
import { idSchema } from '../../../shared/ids/ids.ts';
import { ulidSchema } from '../../../shared/ids/ulid.ts';
import { commandSchema, newCommandSchema } from '../../fleet/ledger/command.ts';
import { COMMAND_STATES } from '../../fleet/ledger/command-states.ts';
import type { AddRoutes } from '../cloud-api.ts';
import { orgParams } from './orgs.ts';

const commandParams = orgParams.extend({ id: ulidSchema });
const listQuery = pageQuery.extend({ device: idSchema('box').optional(), state: z.enum(COMMAND_STATES).optional() });

export const addCommandRoutes: AddRoutes = (api, { ledger: { commands }, idempotency }) => {
  const tags = ['commands'];
  api.route({
    method: 'GET',
    url: '/v1/orgs/:org/commands',
    config: { operation: 'commands.list' },
    schema: { tags, params: orgParams, querystring: listQuery, response: { 200: pageOf(commandSchema) } },
    handler: async ({ params, query }) => await commands.list(params.org, query),
  });

  api.route({
    method: 'POST',
    url: '/v1/orgs/:org/commands',
    config: { operation: 'commands.create' },
    schema: { tags, params: orgParams, headers: idempotencyHeaders, body: newCommandSchema, response: { 201: commandSchema } },
    handler: async (request, reply) => {
      const { org } = request.params;
      const by = request.account?.id ?? '';
      const command = await idempotency.once(request, commands.newId(), {
        make: (id) => commands.create(org, id, by, request.body),
        read: (id) => commands.get(org, id),
      });
      return reply.code(201).header('location', `/v1/orgs/${org}/commands/${command.id}`).send(command);
    },
  });

  api.route({
    method: 'GET',
    url: '/v1/orgs/:org/commands/:id',
    config: { operation: 'commands.read' },
    schema: { tags, params: commandParams, response: { 200: commandSchema } },
    handler: async ({ params }) => await commands.get(params.org, params.id),
  });

  api.route({
    method: 'POST',
    url: '/v1/orgs/:org/commands/:id/cancel',
    config: { operation: 'commands.cancel' },
    schema: { tags, params: commandParams, response: { 200: commandSchema } },
    handler: async ({ params }) => await commands.cancel(params.org, params.id),
  });
};
