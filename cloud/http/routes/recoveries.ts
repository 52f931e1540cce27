import { z } from 'zod';
import { noContent } from '../../../shared/http/answers.ts';
import { ulidSchema } from '../../../shared/ids/ulid.ts';
import { handOverSchema } from '../../../shared/lease/hand-over.ts';
import { recoverySchema, signedRecoverySchema } from '../../../shared/lease/recovery.ts';
import type { AddRoutes } from '../cloud-api.ts';
import { EXAMPLE_KEY } from './example-key.ts';
import { orgParams } from './orgs.ts';

const { tenant, epoch, sub: device } = handOverSchema.shape;

const lostSchema = z
  .strictObject({
    items: z.array(
      z.strictObject({
        tenant,
        epoch,
        isKnown: z.boolean().describe('Whether it could be taken over: a key made before check values were kept cannot.'),
      }),
    ),
  })
  .meta({ id: 'LostKeys', examples: [{ items: [{ tenant: 'main-hall', epoch: 1, isKnown: true }] }] });
const draftSchema = recoverySchema.meta({
  id: 'Recovery',
  examples: [
    {
      id: '01KAMV8Z0000000000000000EE',
      org: 'acme',
      iat: 1_795_000_000,
      exp: 1_797_592_000,
      tenants: [{ tenant: 'main-hall', epoch: 1 }],
      transport: { key: '-----BEGIN PUBLIC KEY-----\n…\n-----END PUBLIC KEY-----\n', oaepHash: 'sha256' },
      keys: { commands: EXAMPLE_KEY, leases: EXAMPLE_KEY, audit: EXAMPLE_KEY },
      authorities: ['-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----\n'],
    },
  ],
});
const SIGNED = { payload: 'eyJvcmciOiJhY21lIn0', signatures: [{ protected: 'eyJhbGciOiJFUzI1NiJ9', signature: 'c2ln' }] };
const signedSchema = signedRecoverySchema.meta({ id: 'SignedRecovery', examples: [SIGNED] });
const signedListSchema = z.strictObject({ items: z.array(signedSchema) }).meta({ id: 'SignedRecoveries', examples: [{ items: [SIGNED] }] });
const recoveryParams = orgParams.extend({ id: ulidSchema });
const handOverBody = z.strictObject({ recovery: signedSchema, handOver: z.string().max(8192) }).meta({
  id: 'NewHandOver',
  examples: [
    {
      recovery: SIGNED,
      handOver: 'eyJhbGciOiJFUzI1NiJ9.eyJvcmciOiJhY21lIn0.c2ln',
    },
  ],
});
const takenOverSchema = z
  .strictObject({ tenant, epoch, device })
  .meta({ id: 'TakenOver', examples: [{ tenant: 'main-hall', epoch: 1, device: 'box_aaaaaaaaaaaaaaaaaaaaaaaaaa' }] });

/** After the loss of an HSM: what its org signed with its own keys, and what boxes hand over, goes to the KMS as it is. */
export const addRecoveryRoutes: AddRoutes = (api, { kms, authorities, recoveries }) => {
  const tags = ['keys'];
  api.route({
    method: 'GET',
    url: '/v1/orgs/:org/lost-keys',
    config: { operation: 'recoveries.read' },
    schema: { tags, params: orgParams, response: { 200: lostSchema } },
    handler: async ({ params: { org } }) => ({ items: await kms.call('listLostKeys', { org }) }),
  });

  api.route({
    method: 'POST',
    url: '/v1/orgs/:org/recoveries',
    config: { operation: 'recoveries.create', usesHsm: true },
    schema: {
      tags,
      description:
        'It counts when enough of the recovery keys have signed it; the key for its transport is made in the HSM the first time. The authority of boxes has to be replaced before.',
      params: orgParams,
      response: { 201: draftSchema },
    },
    handler: async ({ params: { org } }, reply) => {
      const { certificate } = await authorities.issuing();
      return reply.code(201).send({ ...(await kms.call('draftRecovery', { org })), authorities: [certificate] });
    },
  });

  api.route({
    method: 'GET',
    url: '/v1/orgs/:org/recoveries',
    config: { operation: 'recoveries.list' },
    schema: {
      tags,
      summary: 'What the recovery keys have signed, the first one first; it proves to an auditor why the log is signed by another key',
      params: orgParams,
      response: { 200: signedListSchema },
    },
    handler: async ({ params: { org } }) => ({ items: await recoveries.list(org) }),
  });

  api.route({
    method: 'PUT',
    url: '/v1/orgs/:org/recoveries/:id/signatures',
    config: { operation: 'recoveries.send' },
    schema: {
      tags,
      summary: 'Send what enough recovery keys have signed to the boxes of the org: each judges it, and hands over the keys that it names',
      params: recoveryParams,
      body: signedSchema,
      response: { 204: noContent },
    },
    handler: async ({ params: { org, id }, body }, reply) => {
      await recoveries.keep(org, id, body);
      return reply.code(204).send();
    },
  });

  api.route({
    method: 'POST',
    url: '/v1/orgs/:org/recoveries/hand-overs',
    config: { operation: 'recoveries.take-over', usesHsm: true },
    schema: { tags, params: orgParams, body: handOverBody, response: { 201: takenOverSchema } },
    handler: async ({ body }, reply) => {
      const { org: _, ...taken } = await kms.call('takeOver', body);
      return reply.code(201).send(taken);
    },
  });

  api.route({
    method: 'DELETE',
    url: '/v1/orgs/:org/recoveries',
    config: { operation: 'recoveries.end', usesHsm: true },
    schema: { tags, description: 'Nothing is taken over any more: the key for the transport is destroyed.', params: orgParams },
    handler: async ({ params: { org } }, reply) => {
      await kms.call('endRecovery', { org });
      return reply.code(204).send();
    },
  });
};
