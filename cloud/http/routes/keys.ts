import { z } from 'zod';
import { adminSetSchema, signedSetSchema } from '../../../shared/lease/admin-set.ts';
import { leaseAnswerSchema } from '../../../shared/lease/lease-answer.ts';
import { publicKeySchema } from '../../../shared/lease/public-key.ts';
import type { AddRoutes } from '../cloud-api.ts';
import { orgParams } from './orgs.ts';

const token = z
  .string()
  .regex(/^[\w-]+\.[\w-]+\.[\w-]+$/, { error: 'not a signed token' })
  .max(8192);
const versionSchema = z.strictObject({ version: z.int() });
const leaseKeysSchema = z.strictObject({ keys: z.array(publicKeySchema) }).meta({ id: 'LeaseKeys' });
const answerSchema = leaseAnswerSchema.extend({ encapsulated: z.string(), sealed: z.string() }).meta({ id: 'LeaseAnswer' });

/** What an org's admins signed with their own keys goes to the KMS as it is: it judges that, not who brought it. */
export const addKeyRoutes: AddRoutes = (api, { kms }) => {
  const tags = ['keys'];
  api.route({
    method: 'GET',
    url: '/v1/orgs/:org/admin-keys',
    config: { operation: 'admin-keys.read' },
    schema: { tags, params: orgParams, response: { 200: adminSetSchema.meta({ id: 'AdminSet' }) } },
    handler: async ({ params }) => await kms.call('getAdmins', { org: params.org }),
  });

  api.route({
    method: 'GET',
    url: '/v1/lease-keys',
    config: { operation: 'open' },
    schema: {
      tags,
      summary: 'Public keys by which the KMS signs leases; a box is given them once, and whoever gives them compares them by another way',
      response: { 200: leaseKeysSchema },
    },
    handler: async () => ({ keys: [await kms.call('signingKey', { use: 'leases' })] }),
  });

  api.route({
    method: 'PUT',
    url: '/v1/orgs/:org/admin-keys',
    config: { operation: 'admin-keys.pin' },
    schema: { tags, params: orgParams, body: signedSetSchema.meta({ id: 'SignedAdminSet' }), response: { 200: versionSchema } },
    handler: async ({ params, body }) => await kms.call('pinAdmins', { org: params.org, signed: body }),
  });

  api.route({
    method: 'POST',
    url: '/v1/orgs/:org/assignments',
    config: { operation: 'assignments.create' },
    schema: {
      tags,
      params: orgParams,
      body: z.strictObject({ assignment: token }),
      response: { 201: z.strictObject({ id: z.string() }) },
    },
    handler: async ({ body }, reply) => reply.code(201).send(await kms.call('assign', body)),
  });

  api.route({
    method: 'POST',
    url: '/v1/orgs/:org/offline-leases',
    config: { operation: 'offline-leases.create' },
    schema: {
      tags,
      summary: 'Have a request that came on a stick answered; a box that has moved says so with it',
      params: orgParams,
      body: z.strictObject({ request: token, approval: token, moved: token.optional() }),
      response: { 201: answerSchema },
    },
    handler: async ({ body: { moved, ...body } }, reply) => {
      if (moved !== undefined) await kms.call('acknowledgeMove', { token: moved });
      const { encapsulated, sealed, ...answer } = await kms.call('exportTek', body);
      return reply.code(201).send({ ...answer, encapsulated: encapsulated.toString('base64url'), sealed: sealed.toString('base64url') });
    },
  });
};
