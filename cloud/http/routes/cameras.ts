import { noContent } from '../../../shared/http/answers.ts';
import { pageOf, pageQuery } from '../../../shared/http/common.ts';
import { idempotencyHeaders, versionHeaders } from '../../../shared/http/headers.ts';
import { expectedVersion, setVersion } from '../../../shared/http/versions.ts';
import { idSchema, newId } from '../../../shared/ids/ids.ts';
import { cameraPatchSchema, cameraSchema, newCameraSchema } from '../../fleet/desired/camera.ts';
import type { AddRoutes } from '../cloud-api.ts';
import { tenantParams } from './tenants.ts';

const cameraParams = tenantParams.extend({ id: idSchema('record') });
const listQuery = pageQuery.extend({ device: idSchema('box').optional() });

/** What boxes should watch. A box follows as soon as it is connected; how far it is stands in its state. */
export const addCameraRoutes: AddRoutes = (api, { desired: { cameras }, idempotency }) => {
  const tags = ['cameras'];
  api.route({
    method: 'GET',
    url: '/v1/orgs/:org/tenants/:tenant/cameras',
    config: { operation: 'cameras.list' },
    schema: { tags, params: tenantParams, querystring: listQuery, response: { 200: pageOf(cameraSchema) } },
    handler: async ({ params: { org, tenant }, query }) => await cameras.list(org, tenant, query),
  });

  api.route({
    method: 'POST',
    url: '/v1/orgs/:org/tenants/:tenant/cameras',
    config: { operation: 'cameras.create' },
    schema: { tags, params: tenantParams, headers: idempotencyHeaders, body: newCameraSchema, response: { 201: cameraSchema } },
    handler: async (request, reply) => {
      const { org, tenant } = request.params;
      const camera = await idempotency.once(request, newId('record'), {
        make: (id) => cameras.create(org, tenant, id, request.body),
        read: (id) => cameras.get(org, tenant, id),
      });
      setVersion(reply, camera.version);
      return reply.code(201).header('location', `/v1/orgs/${org}/tenants/${tenant}/cameras/${camera.id}`).send(camera);
    },
  });

  api.route({
    method: 'GET',
    url: '/v1/orgs/:org/tenants/:tenant/cameras/:id',
    config: { operation: 'cameras.read' },
    schema: { tags, params: cameraParams, response: { 200: cameraSchema } },
    handler: async ({ params: { org, tenant, id } }, reply) => {
      const camera = await cameras.get(org, tenant, id);
      setVersion(reply, camera.version);
      return camera;
    },
  });

  api.route({
    method: 'PATCH',
    url: '/v1/orgs/:org/tenants/:tenant/cameras/:id',
    config: { operation: 'cameras.change' },
    schema: { tags, params: cameraParams, headers: versionHeaders, body: cameraPatchSchema, response: { 200: cameraSchema } },
    handler: async (request, reply) => {
      const { org, tenant, id } = request.params;
      const camera = await cameras.change(org, tenant, id, request.body, expectedVersion(request));
      setVersion(reply, camera.version);
      return camera;
    },
  });

  api.route({
    method: 'DELETE',
    url: '/v1/orgs/:org/tenants/:tenant/cameras/:id',
    config: { operation: 'cameras.remove' },
    schema: { tags, params: cameraParams, response: { 204: noContent } },
    handler: async ({ params: { org, tenant, id } }, reply) => {
      await cameras.remove(org, tenant, id);
      return reply.code(204).send();
    },
  });
};
