import type { FastifyRequest } from 'fastify';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { noContent } from '../../../shared/http/answers.ts';
import { pageOf } from '../../../shared/http/common.ts';
import { idempotencyHeaders } from '../../../shared/http/headers.ts';
import { newId } from '../../../shared/ids/ids.ts';
import type { Api, RouteContext } from '../api.ts';
import { pictureOf, takePictures } from '../plugins/pictures.ts';
import type { DescribedPicture } from '../ports.ts';
import { customerParams } from '../schemas/common.ts';
import { faceParams, faceSchema, fromSightingSchema, newFaceResultSchema } from '../schemas/people.ts';

const tags = ['faces'];

export function addFaceRoutes(api: Api, { box, idempotency, stills }: RouteContext): void {
  api.route({
    method: 'GET',
    url: '/v1/tenants/:tenant/customers/:customerId/faces',
    config: { access: 'people:read' },
    schema: { summary: 'Faces of a customer', tags, params: customerParams, response: { 200: pageOf(faceSchema) } },
    handler: async ({ params }) => {
      const { faceList } = await box.tenants.vault(params.tenant).getCustomer(params.customerId);
      return { items: faceList.map(({ faceId, ...face }) => ({ id: faceId, ...face })), next: null };
    },
  });

  api.route({
    method: 'GET',
    url: '/v1/tenants/:tenant/customers/:customerId/faces/:faceId/picture',
    config: { access: 'people:read', gives: 'image/jpeg' },
    schema: { summary: 'Picture of an enrolled face', tags, params: faceParams },
    handler: async ({ params }, reply) => {
      const picture = await box.tenants.vault(params.tenant).facePicture(params.customerId, params.faceId);
      return reply.type('image/jpeg').send(picture);
    },
  });

  /** Makes one face of what `look` finds, which is overwritten afterwards. */
  const addFace = async (
    request: FastifyRequest,
    { tenant, customerId }: { tenant: string; customerId: string },
    look: () => Promise<DescribedPicture>,
  ) => {
    const vault = box.tenants.vault(tenant);
    let quality: DescribedPicture['quality'] | null = null;
    const faceId = await idempotency.once(request, newId('face'), {
      make: async (id) => {
        // Somebody who is not there, or has not agreed, costs no look at the picture.
        await vault.getCustomer(customerId);
        const described = await look();
        const { embedding, model, picture } = described;
        try {
          await vault.addFace(customerId, { faceId: id, embedding, model, quality: described.quality.overall, picture });
          quality = described.quality;
        } finally {
          embedding.fill(0);
          picture.fill(0);
        }
      },
      read: async (id) => {
        const { faceList } = await vault.getCustomer(customerId);
        if (faceList.some((face) => face.faceId === id)) return id;
        throw new SecureGateError('record_not_found', 'No such face', { details: { faceId: id } });
      },
    });
    return { faceId, quality };
  };

  api.register((pictures: Api, _options, done) => {
    takePictures(pictures, stills);
    pictures.route({
      method: 'POST',
      url: '/v1/tenants/:tenant/customers/:customerId/faces',
      config: { access: 'people:write', takesPicture: true },
      schema: {
        headers: idempotencyHeaders,
        summary: 'Enrol the face on a picture (JPEG, PNG or WebP, at most 20 MiB) that shows this customer alone',
        tags,
        params: customerParams,
        response: { 201: newFaceResultSchema },
      },
      handler: async (request, reply) => {
        const picture = pictureOf(request);
        const result = await addFace(request, request.params, () => stills.describe(request, picture, 'enrol'));
        return reply.code(201).send(result);
      },
    });
    done();
  });

  api.route({
    method: 'POST',
    url: '/v1/tenants/:tenant/customers/:customerId/faces/from-sighting',
    config: { access: 'people:write' },
    schema: {
      headers: idempotencyHeaders,
      summary: 'Enrol the face of a sighting, as long as its picture lives in memory',
      tags,
      params: customerParams,
      body: fromSightingSchema,
      response: { 201: newFaceResultSchema },
    },
    handler: async (request, reply) => {
      const { params, body } = request;
      const result = await addFace(request, params, () => box.faces.ofSighting(params.tenant, body.sightingId));
      return reply.code(201).send(result);
    },
  });

  api.route({
    method: 'DELETE',
    url: '/v1/tenants/:tenant/customers/:customerId/faces/:faceId',
    config: { access: 'people:write' },
    schema: { summary: 'Remove a face', tags, params: faceParams, response: { 204: noContent } },
    handler: async ({ params }, reply) => {
      await box.tenants.vault(params.tenant).removeFace(params.customerId, params.faceId);
      return reply.code(204).send();
    },
  });
}
