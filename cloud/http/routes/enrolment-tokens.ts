import { noContent } from '../../../shared/http/answers.ts';
import { pageOf, pageQuery } from '../../../shared/http/common.ts';
import { idSchema } from '../../../shared/ids/ids.ts';
import { enrolmentTokenSchema, madeEnrolmentTokenSchema, newEnrolmentTokenSchema } from '../../fleet/enrolment/enrolment-tokens.ts';
import type { AddRoutes } from '../cloud-api.ts';
import { orgParams } from './orgs.ts';

/** A token is shown once, so that a repeated request makes another one: there is no idempotency key. */
export const addEnrolmentTokenRoutes: AddRoutes = (api, { enrolmentTokens }) => {
  const tags = ['enrolment-tokens'];
  api.route({
    method: 'GET',
    url: '/v1/orgs/:org/enrolment-tokens',
    config: { operation: 'enrolment-tokens.list' },
    schema: { tags, params: orgParams, querystring: pageQuery, response: { 200: pageOf(enrolmentTokenSchema) } },
    handler: async ({ params, query }) => await enrolmentTokens.list(params.org, query),
  });

  api.route({
    method: 'POST',
    url: '/v1/orgs/:org/enrolment-tokens',
    config: { operation: 'enrolment-tokens.create' },
    schema: { tags, params: orgParams, body: newEnrolmentTokenSchema, response: { 201: madeEnrolmentTokenSchema } },
    handler: async (request, reply) => {
      const { org } = request.params;
      const made = await enrolmentTokens.create(org, request.body, request.account?.id ?? '');
      return reply.code(201).header('location', `/v1/orgs/${org}/enrolment-tokens/${made.id}`).send(made);
    },
  });

  api.route({
    method: 'DELETE',
    url: '/v1/orgs/:org/enrolment-tokens/:id',
    config: { operation: 'enrolment-tokens.revoke' },
    schema: { tags, params: orgParams.extend({ id: idSchema('enrolmentToken') }), response: { 204: noContent } },
    handler: async ({ params }, reply) => {
      await enrolmentTokens.revoke(params.org, params.id);
      return reply.code(204).send();
    },
  });
};
