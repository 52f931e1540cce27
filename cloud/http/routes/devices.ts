import { pageOf, pageQuery } from '../../../shared/http/common.ts';
import { versionHeaders } from '../../../shared/http/headers.ts';
import { expectedVersion, setVersion } from '../../../shared/http/versions.ts';
import { idSchema } from '../../../shared/ids/ids.ts';
import { boxStateSchema } from '../../fleet/desired/box-state.ts';
import { devicePatchSchema, deviceSchema } from '../../fleet/devices/device.ts';
import type { AddRoutes } from '../cloud-api.ts';
import { orgParams } from './orgs.ts';

export const deviceParams = orgParams.extend({ id: idSchema('box') });

export const addDeviceRoutes: AddRoutes = (api, { devices, desired }) => {
  const tags = ['devices'];
  api.route({
    method: 'GET',
    url: '/v1/orgs/:org/devices',
    config: { operation: 'devices.list' },
    schema: { tags, params: orgParams, querystring: pageQuery, response: { 200: pageOf(deviceSchema) } },
    handler: async ({ params, query }) => await devices.list(params.org, query),
  });

  api.route({
    method: 'GET',
    url: '/v1/orgs/:org/devices/:id',
    config: { operation: 'devices.read' },
    schema: { tags, params: deviceParams, response: { 200: deviceSchema } },
    handler: async ({ params }, reply) => {
      const device = await devices.get(params.org, params.id);
      setVersion(reply, device.version);
      return device;
    },
  });

  api.route({
    method: 'GET',
    url: '/v1/orgs/:org/devices/:id/state',
    config: { operation: 'devices.read-state' },
    schema: { tags, params: deviceParams, response: { 200: boxStateSchema } },
    handler: async ({ params: { org, id } }) => {
      await devices.get(org, id);
      return await desired.get(org, id);
    },
  });

  api.route({
    method: 'PATCH',
    url: '/v1/orgs/:org/devices/:id',
    config: { operation: 'devices.change' },
    schema: {
      tags,
      params: deviceParams,
      headers: versionHeaders,
      body: devicePatchSchema,
      response: { 200: deviceSchema },
    },
    handler: async (request, reply) => {
      const { org, id } = request.params;
      const device = await devices.change(org, id, request.body, expectedVersion(request));
      if (request.body.models !== undefined) await desired.wake(id);
      setVersion(reply, device.version);
      return device;
    },
  });

  for (const [end, operation] of [
    ['deny', 'devices.deny'],
    ['release', 'devices.release'],
  ] as const) {
    api.route({
      method: 'POST',
      url: `/v1/orgs/:org/devices/:id/${end}`,
      config: { operation },
      schema: { tags, params: deviceParams, response: { 200: deviceSchema } },
      handler: async ({ params }, reply) => {
        const device = await devices[end](params.org, params.id);
        setVersion(reply, device.version);
        return device;
      },
    });
  }
};
