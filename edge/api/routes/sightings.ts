import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Sighting } from '../../../shared/messages/events.ts';
import type { Api, RouteContext } from '../api.ts';
import { Names } from '../names.ts';
import { apiSightingSchema, heldPictureSchema, sightingParams, sightingsQuery } from '../schemas/box.ts';
import { pageOf, tenantParams } from '../schemas/common.ts';
import { EventStream } from '../streams/event-stream.ts';

const tags = ['sightings'];
const BEAT_MS = 15_000;

export function addSightingRoutes(api: Api, context: RouteContext): void {
  const { box, clock, streams } = context;
  const viewOf = async ({ type: _type, ...sighting }: Sighting, names: Names) => ({
    ...sighting,
    name: await names.of(sighting.customerId),
    hasPicture: box.hasSightingPicture(sighting.tenant, sighting.id),
  });

  api.route({
    method: 'GET',
    url: '/v1/tenants/:tenant/sightings',
    config: { access: 'sightings:read' },
    schema: {
      summary: 'Sightings, the newest first; a page can hold less than `limit` although more follow',
      tags,
      params: tenantParams,
      querystring: sightingsQuery,
      response: { 200: pageOf(apiSightingSchema) },
    },
    handler: async ({ params, query, principal }) => {
      const vault = box.tenants.vault(params.tenant);
      const names = new Names(vault, principal, clock.monotonic);
      const { items, next } = await vault.listSightings(query);
      const views = [];
      for (const sighting of items) views.push(await viewOf(sighting, names));
      return { items: views, next };
    },
  });

  api.route({
    method: 'GET',
    url: '/v1/tenants/:tenant/sightings/in-view',
    config: { access: 'sightings:read' },
    schema: {
      summary: 'Sightings of known people that have begun and are not over; the list of sightings has them afterwards',
      tags,
      params: tenantParams,
      response: { 200: pageOf(apiSightingSchema) },
    },
    handler: async ({ params, principal }) => {
      const names = new Names(box.tenants.vault(params.tenant), principal, clock.monotonic);
      const items = await Promise.all(box.inView(params.tenant).map((sighting) => viewOf(sighting, names)));
      return { items, next: null };
    },
  });

  api.route({
    method: 'GET',
    url: '/v1/tenants/:tenant/sightings/stream',
    config: { access: 'sightings:read', gives: 'text/event-stream' },
    schema: {
      summary: 'Sightings as they happen, as server-sent events `sighting`; slow readers are cut off and may come back',
      tags,
      params: tenantParams,
    },
    handler: async (request, reply) => {
      const { tenant } = request.params;
      const names = new Names(box.tenants.vault(tenant), request.principal, clock.monotonic);
      // One after the other, so that none overtakes another whose name is still being looked up.
      let last: Promise<void> = Promise.resolve();
      const stream = streams.add(
        request,
        () =>
          new EventStream((send) =>
            box.onEvent(tenant, (event) => {
              if (event.type !== 'sighting') return;
              last = last
                .then(async () => send('sighting', await viewOf(event, names)))
                .catch((error: unknown) => request.log.warn({ err: error }, 'a sighting was not sent'));
            }),
          ),
      );
      const beat = setInterval(() => stream.beat(), BEAT_MS);
      stream.once('close', () => clearInterval(beat));
      return reply.type('text/event-stream').header('x-accel-buffering', 'no').send(stream);
    },
  });

  api.route({
    method: 'GET',
    url: '/v1/tenants/:tenant/sightings/:sightingId/picture',
    config: { access: 'sightings:read', gives: 'image/jpeg' },
    schema: {
      summary: 'Picture of the best shot, as long as it lives in memory',
      tags,
      params: sightingParams,
    },
    handler: async ({ params }, reply) => {
      const { id } = box.tenants.get(params.tenant);
      const picture = await box.sightingPicture(id, params.sightingId);
      if (picture === undefined) throw gone();
      return reply.type('image/jpeg').send(picture);
    },
  });

  api.route({
    method: 'POST',
    url: '/v1/tenants/:tenant/sightings/:sightingId/hold',
    config: { access: 'people:write' },
    schema: {
      summary: 'Keep the picture in memory while somebody enrols the person on it; ask again every few seconds',
      tags,
      params: sightingParams,
      response: { 200: heldPictureSchema },
    },
    handler: async ({ params }) => {
      const { id } = box.tenants.get(params.tenant);
      const hold = box.holdSightingPicture(id, params.sightingId);
      if (hold === undefined) throw gone();
      const after = (ms: number): string => new Date(clock.now() + ms).toISOString();
      return { heldUntil: after(hold.forMs), longestUntil: after(hold.atMostMs) };
    },
  });
}

function gone(): SecureGateError {
  return new SecureGateError('sighting_gone', 'There is no picture of this sighting, or no longer');
}
