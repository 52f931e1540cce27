import { z } from 'zod';
import { adminSetSchema, signedSetSchema } from '../../../shared/lease/admin-set.ts';
import { leaseAnswerSchema } from '../../../shared/lease/lease-answer.ts';
import { publicKeySchema } from '../../../shared/lease/public-key.ts';
import type { AddRoutes } from '../cloud-api.ts';
import { EXAMPLE_KEY } from './example-key.ts';
import { orgParams } from './orgs.ts';

const token = z
  .string()
  .regex(/^[\w-]+\.[\w-]+\.[\w-]+$/, { error: 'not a signed token' })
  .max(8192);
const TOKEN = 'eyJhbGciOiJFUzI1NiJ9.eyJvcmciOiJhY21lIn0.c2ln';

const pinnedSchema = adminSetSchema.meta({
  id: 'AdminSet',
  examples: [{ org: 'acme', version: 1, admins: { keys: [EXAMPLE_KEY], quorum: 1 }, recovery: { keys: [EXAMPLE_KEY], quorum: 1 } }],
});
const toPinSchema = signedSetSchema.meta({
  id: 'SignedAdminSet',
  examples: [{ payload: 'eyJvcmciOiJhY21lIn0', signatures: [{ protected: 'eyJhbGciOiJFUzI1NiJ9', signature: 'c2ln' }] }],
});
const versionSchema = z.strictObject({ version: z.int() }).meta({ id: 'AdminSetVersion', examples: [{ version: 1 }] });
const leaseKeysSchema = z.strictObject({ keys: z.array(publicKeySchema) }).meta({ id: 'LeaseKeys', examples: [{ keys: [EXAMPLE_KEY] }] });
const assignmentSchema = z.strictObject({ assignment: token }).meta({ id: 'NewAssignment', examples: [{ assignment: TOKEN }] });
const assignedSchema = z
  .strictObject({ id: z.string() })
  .meta({ id: 'Assignment', examples: [{ id: 'c0ffee00c0ffee00c0ffee00c0ffee00' }] });
const requestSchema = z
  .strictObject({ request: token, approval: token, moved: token.optional() })
  .meta({ id: 'OfflineLeaseRequest', examples: [{ request: TOKEN, approval: TOKEN, moved: TOKEN }] });
const answerSchema = leaseAnswerSchema
  .extend({ encapsulated: z.string(), sealed: z.string() })
  .meta({ id: 'LeaseAnswer', examples: [{ encapsulated: 'mbYU', sealed: 'q2k0', oaepHash: 'sha256', lease: TOKEN }] });

/** What an org's admins signed with their own keys goes to the KMS as it is: it judges that, not who brought it. */
export const addKeyRoutes: AddRoutes = (api, { kms, devices, desired }) => {
  const tags = ['keys'];
  api.route({
    method: 'GET',
    url: '/v1/orgs/:org/admin-keys',
    config: { operation: 'admin-keys.read' },
    schema: { tags, params: orgParams, response: { 200: pinnedSchema } },
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
    handler: async () => ({ keys: (await kms.call('keyHistory', { use: 'leases' })).keys }),
  });

  api.route({
    method: 'PUT',
    url: '/v1/orgs/:org/admin-keys',
    config: { operation: 'admin-keys.pin', usesHsm: true },
    schema: { tags, params: orgParams, body: toPinSchema, response: { 200: versionSchema } },
    handler: async ({ params, body }) => await kms.call('pinAdmins', { org: params.org, signed: body }),
  });

  api.route({
    method: 'POST',
    url: '/v1/orgs/:org/assignments',
    config: { operation: 'assignments.create', usesHsm: true },
    schema: {
      tags,
      params: orgParams,
      body: assignmentSchema,
      response: { 201: assignedSchema },
    },
    handler: async ({ body }, reply) => {
      const { id, org, device } = await kms.call('assign', body);
      await devices.settle(org, device);
      await desired.wake(device);
      return reply.code(201).send({ id });
    },
  });

  api.route({
    method: 'POST',
    url: '/v1/orgs/:org/offline-leases',
    config: { operation: 'offline-leases.create', usesHsm: true },
    schema: {
      tags,
      summary: 'Have a request that came on a stick answered; a box that has moved says so with it',
      params: orgParams,
      body: requestSchema,
      response: { 201: answerSchema },
    },
    handler: async ({ body: { moved, ...body } }, reply) => {
      if (moved !== undefined) await kms.call('acknowledgeMove', { token: moved });
      const { encapsulated, sealed, ...answer } = await kms.call('exportTek', body);
      return reply.code(201).send({ ...answer, encapsulated: encapsulated.toString('base64url'), sealed: sealed.toString('base64url') });
    },
  });
};
