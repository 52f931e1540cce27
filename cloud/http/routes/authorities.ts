import { z } from 'zod';
import { type Authority, fingerprintOf } from '../../fleet/pki/authorities.ts';
import type { AddRoutes } from '../cloud-api.ts';

const EXAMPLE = {
  generation: 1,
  certificate: '-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----\n',
  fingerprint: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU',
  trustedUntil: null,
};
const authoritySchema = z
  .strictObject({
    generation: z.int(),
    certificate: z.string(),
    fingerprint: z.string().describe('SHA-256 of the certificate, base64url; tokens carry it.'),
    trustedUntil: z.iso.datetime().nullable().describe('Null for the one that issues.'),
  })
  .meta({ id: 'Authority', examples: [EXAMPLE] });
const authoritiesSchema = z.strictObject({ items: z.array(authoritySchema) }).meta({ id: 'Authorities', examples: [{ items: [EXAMPLE] }] });

/** The authorities that issue the certificates of boxes. */
export const addAuthorityRoutes: AddRoutes = (api, { authorities }) => {
  const tags = ['authorities'];
  api.route({
    method: 'GET',
    url: '/v1/authorities',
    config: { operation: 'authorities.list' },
    schema: { tags, response: { 200: authoritiesSchema } },
    handler: async () => ({ items: (await authorities.trusted()).map(viewOf) }),
  });

  api.route({
    method: 'POST',
    url: '/v1/authorities',
    config: { operation: 'authorities.create' },
    schema: { tags, response: { 201: authoritySchema } },
    handler: async (_request, reply) => reply.code(201).send(viewOf(await authorities.roll())),
  });

  api.route({
    method: 'POST',
    url: '/v1/authorities/replacements',
    config: { operation: 'authorities.replace' },
    schema: {
      tags,
      description: 'Where the HSM has lost the key of the present one: no box believes the next one before its org has signed that.',
      response: { 201: authoritySchema },
    },
    handler: async (_request, reply) => reply.code(201).send(viewOf(await authorities.replace())),
  });
};

function viewOf({ generation, certificate, trustedUntil }: Authority): z.output<typeof authoritySchema> {
  const ends = trustedUntil === null ? null : new Date(trustedUntil).toISOString();
  return { generation, certificate, fingerprint: fingerprintOf(certificate), trustedUntil: ends };
}
