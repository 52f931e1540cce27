import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { pageOf } from '../../../shared/http/common.ts';
import type { Sighting } from '../../../shared/messages/events.ts';
import type { Api, RouteContext } from '../api.ts';
import { type Names, namesFor } from '../names.ts';
import { apiSightingSchema, heldPictureSchema, sightingParams, sightingsQuery } from '../schemas/box.ts';
import { tenantParams } from '../schemas/common.ts';
import { sightingStreamQuery, tenantsOf } from '../schemas/streams.ts';
import { EventStream } from '../streams/event-stream.ts';

const tags = ['sightings'];

const STREAM = `The \`data\` of an event is one \`Sighting\`, as the list has it. Somebody known comes when the sighting begins (\`phase\` \`begun\`) and again under the same \`id\` when it is over (\`ended\`), everybody else once, when it is over. Lines that hold just a colon show that the stream lives. Nothing is sent again: after a break, read the list.
All tenants come over this one connection. Where one of them is unknown or not the caller’s, all are refused.`;

export function addSightingRoutes(api: Api, { box, clock, streams }: RouteContext): void {
  const viewsOf = async (sightings: readonly Sighting[], names: Names) => {
    const known = await names.of(sightings.map(({ customerId }) => customerId));
    return sightings.map(({ type: _type, ...sighting }) => ({
      ...sighting,
      name: known.get(sighting.customerId) ?? null,
      hasPicture: box.hasSightingPicture(sighting.tenant, sighting.id),
    }));
  };

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
      const names = namesFor(box, principal, params.tenant, clock.monotonic);
      const { items, next } = await vault.listSightings(query);
      return { items: await viewsOf(items, names), next };
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
      const names = namesFor(box, principal, params.tenant, clock.monotonic);
      return { items: await viewsOf(box.inView(params.tenant), names), next: null };
    },
  });

  api.route({
    method: 'GET',
    url: '/v1/sightings/stream',
    config: {
      access: 'sightings:read',
      gives: 'text/event-stream',
      tenantsOf: (query) => {
        const { success, data } = sightingStreamQuery.safeParse(query);
        return success ? tenantsOf(data) : [];
      },
    },
    schema: {
      summary: 'Sightings as they happen, as server-sent events `sighting`; slow readers are cut off and may come back',
      description: STREAM,
      tags,
      querystring: sightingStreamQuery,
    },
    handler: async (request, reply) => {
      const { query, principal, log } = request;
      const followed = tenantsOf(query).map((tenant) => ({
        tenant,
        names: namesFor(box, principal, tenant, clock.monotonic),
      }));
      const stream = streams.add(
        request,
        () =>
          new EventStream((send) => {
            const ends = followed.map(({ tenant, names }) => {
              // One after the other, so that none overtakes another whose name is still being looked up in the same vault.
              let last: Promise<void> = Promise.resolve();
              return box.onEvent(tenant, (event) => {
                if (event.type !== 'sighting') return;
                last = last
                  .then(async () => {
                    for (const view of await viewsOf([event], names)) send('sighting', view);
                  })
                  .catch((error: unknown) => log.warn({ err: error }, 'a sighting was not sent'));
              });
            });
            return () => {
              for (const end of ends) end();
            };
          }),
      );
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
