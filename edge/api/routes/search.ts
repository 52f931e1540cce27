import type { FastifyRequest } from 'fastify';
import type { Api, RouteContext } from '../api.ts';
import { mayReadPeople } from '../names.ts';
import { pictureOf, takePictures } from '../plugins/pictures.ts';
import type { DescribedPicture } from '../ports.ts';
import { customerParams, tenantParams } from '../schemas/common.ts';
import { searchQuery, searchResultSchema, verifyResultSchema } from '../schemas/people.ts';

const tags = ['search'];

/** Neither picture nor embedding stays after the answer. */
export function addSearchRoutes(api: Api, { box, stills }: RouteContext): void {
  const describe = async <Result>(request: FastifyRequest, use: (described: DescribedPicture) => Promise<Result>): Promise<Result> => {
    const described = await stills.describe(request, pictureOf(request), 'search');
    try {
      return await use(described);
    } finally {
      described.embedding.fill(0);
      described.picture.fill(0);
    }
  };

  api.register((pictures: Api, _options, done) => {
    takePictures(pictures, stills);

    pictures.route({
      method: 'POST',
      url: '/v1/tenants/:tenant/search',
      config: { access: 'search', takesPicture: true },
      schema: {
        summary: 'Who of the customers looks like the person on the picture, best first',
        tags,
        params: tenantParams,
        querystring: searchQuery,
        response: { 200: searchResultSchema },
      },
      handler: async (request) => {
        const { tenant } = request.params;
        const vault = box.tenants.vault(tenant);
        const threshold = box.faces.threshold(tenant);
        return describe(request, async (described) => {
          const { embedding, model } = described;
          const [found = []] = await vault.search({ embeddings: [embedding], model, limit: request.query.limit });
          await vault.count('searches');
          const names = await vault.customerNames(found.map(({ customerId }) => customerId));
          const told = mayReadPeople(box, request.principal, tenant);
          // Who was removed in the meantime has no name any more.
          const candidates = found.flatMap(({ customerId, score }) => {
            const name = names.get(customerId);
            return name === undefined ? [] : { customerId, name: told ? name : null, score, match: score >= threshold };
          });
          return { candidates, threshold, quality: described.quality };
        });
      },
    });

    pictures.route({
      method: 'POST',
      url: '/v1/tenants/:tenant/customers/:customerId/verify',
      config: { access: 'search', takesPicture: true },
      schema: {
        summary: 'Whether the picture shows this customer',
        tags,
        params: customerParams,
        response: { 200: verifyResultSchema },
      },
      handler: async (request) => {
        const { tenant, customerId } = request.params;
        const vault = box.tenants.vault(tenant);
        const threshold = box.faces.threshold(tenant);
        return describe(request, async (described) => {
          const { score } = await vault.verify({ customerId, embedding: described.embedding, model: described.model });
          await vault.count('verifications');
          return { match: score >= threshold, score, threshold, quality: described.quality };
        });
      },
    });
    done();
  });
}
