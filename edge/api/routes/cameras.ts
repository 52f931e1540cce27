import { noContent } from '../../../shared/http/answers.ts';
import { pageOf } from '../../../shared/http/common.ts';
import { idempotencyHeaders, versionHeaders } from '../../../shared/http/headers.ts';
import { expectedVersion, setVersion } from '../../../shared/http/versions.ts';
import { newId } from '../../../shared/ids/ids.ts';
import type { Api, RouteContext } from '../api.ts';
import type { CameraView } from '../ports.ts';
import { cameraAddressSchema, cameraTestSchema, cameraViewSchema } from '../schemas/box.ts';
import { tenantParams } from '../schemas/common.ts';
import { cameraParams, cameraPatchSchema, VENUE_RECORDS } from '../schemas/venue.ts';

const tags = ['cameras'];
const url = '/v1/tenants/:tenant/cameras';

export function addCameraRoutes(api: Api, { box, idempotency }: RouteContext): void {
  /** @throws {SecureGateError} `record_not_found` for a room that is not there */
  const requireRoom = async (tenant: string, roomId: string | null | undefined): Promise<void> => {
    if (roomId) await box.tenants.vault(tenant).getRecord('rooms', roomId);
  };

  api.route({
    method: 'GET',
    url,
    config: { access: 'cameras:read' },
    schema: { summary: 'Cameras with their state', tags, params: tenantParams, response: { 200: pageOf(cameraViewSchema) } },
    handler: async ({ params }) => {
      const { id } = box.tenants.get(params.tenant);
      return { items: box.cameras.list(id).map(viewOf), next: null };
    },
  });

  api.route({
    method: 'POST',
    url,
    config: { access: 'cameras:write' },
    schema: {
      headers: idempotencyHeaders,
      summary: 'Add a camera and start it',
      tags,
      params: tenantParams,
      body: VENUE_RECORDS.cameras,
      response: { 201: cameraViewSchema },
    },
    handler: async (request, reply) => {
      const { id: tenant } = box.tenants.get(request.params.tenant);
      const camera = await idempotency.once(request, newId('record'), {
        make: async (id) => {
          await requireRoom(tenant, request.body.roomId);
          await box.cameras.add(tenant, request.body, id);
        },
        read: async (id) => viewOf(box.cameras.get(tenant, id)),
      });
      setVersion(reply, camera.version);
      reply.header('location', `/v1/tenants/${tenant}/cameras/${camera.id}`);
      return reply.code(201).send(camera);
    },
  });

  api.route({
    method: 'POST',
    url: `${url}/test`,
    config: { access: 'cameras:write' },
    schema: {
      summary: 'Open an address and take one picture, without adding a camera',
      tags,
      params: tenantParams,
      body: cameraAddressSchema,
      response: { 200: cameraTestSchema },
    },
    handler: async ({ params, body }) => {
      box.tenants.get(params.tenant);
      const { width, height, openedMs, jpeg } = await box.cameras.test(body.url);
      return { width, height, openedMs, picture: jpeg.toString('base64') };
    },
  });

  api.route({
    method: 'GET',
    url: `${url}/:id`,
    config: { access: 'cameras:read' },
    schema: { summary: 'One camera with its state', tags, params: cameraParams, response: { 200: cameraViewSchema } },
    handler: async ({ params }, reply) => {
      const camera = viewOf(box.cameras.get(params.tenant, params.id));
      setVersion(reply, camera.version);
      return camera;
    },
  });

  api.route({
    method: 'PATCH',
    url: `${url}/:id`,
    config: { access: 'cameras:write' },
    schema: {
      headers: versionHeaders,
      summary: 'Change what is named and start the camera anew',
      tags,
      params: cameraParams,
      body: cameraPatchSchema,
      response: { 200: cameraViewSchema },
    },
    handler: async (request, reply) => {
      const { tenant, id } = request.params;
      await requireRoom(tenant, request.body.roomId);
      const camera = viewOf(await box.cameras.change(tenant, id, request.body, expectedVersion(request)));
      setVersion(reply, camera.version);
      return camera;
    },
  });

  api.route({
    method: 'DELETE',
    url: `${url}/:id`,
    config: { access: 'cameras:write' },
    schema: { headers: versionHeaders, summary: 'Stop a camera and remove it', tags, params: cameraParams, response: { 204: noContent } },
    handler: async (request, reply) => {
      const { tenant, id } = request.params;
      await box.cameras.remove(tenant, id, expectedVersion(request));
      return reply.code(204).send();
    },
  });
}

function viewOf({ tiles, ...camera }: CameraView) {
  return { ...camera, tiles: tiles && { ...tiles } };
}
