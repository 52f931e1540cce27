import type { Api, RouteContext } from '../api.ts';
import { type Names, namesFor } from '../names.ts';
import type { LiveFrame } from '../ports.ts';
import { camerasOf, liveQuery } from '../schemas/streams.ts';
import { LiveStream } from '../streams/live-stream.ts';

const LIVE_TYPE = 'application/vnd.securegate.live';

const DESCRIPTION = `Messages of \`u32be headerLength | JSON header | JPEG\`. The header says whose picture it is (\`tenant\`, \`camera\`) and how long the JPEG is (\`jpegBytes\`); where \`headerLength\` is 0 the message ends there and just shows that the stream lives.
All cameras come over this one connection. A reader who is behind gets the newest picture of each camera and misses those before; one who takes nothing is cut off and may come back. Where one camera is unknown or not the caller's, all are refused.`;

export function addLiveRoute(api: Api, { box, clock, streams }: RouteContext): void {
  api.route({
    method: 'GET',
    url: '/v1/live',
    config: {
      access: 'live',
      gives: LIVE_TYPE,
      tenantsOf: (query) => {
        const { success, data } = liveQuery.safeParse(query);
        return success ? camerasOf(data).map(({ tenant }) => tenant) : [];
      },
    },
    schema: {
      summary: 'Analysed pictures of cameras with what was seen on them, as they come',
      description: DESCRIPTION,
      tags: ['cameras'],
      querystring: liveQuery,
    },
    handler: async (request, reply) => {
      const { query, principal, log } = request;
      const cameras = camerasOf(query).map(({ tenant, id }) => {
        const names = namesFor(box, principal, tenant, clock.monotonic);
        return { tenant, id: box.cameras.get(tenant, id).id, names };
      });
      const stream = streams.add(
        request,
        () =>
          new LiveStream((offer) => {
            const ends = cameras.map(({ tenant, id, names }) => {
              // One picture at a time, so that none overtakes another whose names are still being looked up.
              let formatting = false;
              return box.cameras.watch(tenant, id, query.size, (frame) => {
                if (formatting) return;
                formatting = true;
                formatFrame(tenant, id, frame, names)
                  .then(
                    (message) => offer(`${tenant}/${id}`, message),
                    (error: unknown) => log.warn({ err: error }, 'a live picture was not sent'),
                  )
                  .finally(() => {
                    formatting = false;
                  });
              });
            });
            return () => {
              for (const end of ends) end();
            };
          }),
      );
      // The reader learns at once that he may watch, also while the cameras have nothing to show.
      stream.once('resume', () => reply.raw.flushHeaders());
      return reply.type(LIVE_TYPE).send(stream);
    },
  });
}

/** `u32be headerLength | JSON header | JPEG`; the JPEG is the same buffer for all who watch. */
async function formatFrame(tenant: string, camera: string, frame: LiveFrame, names: Names): Promise<Buffer[]> {
  const { mediaMs, width, height, jpeg } = frame;
  const known = await names.of(frame.tracks.map(({ customerId }) => customerId));
  const tracks = frame.tracks.map(({ track, box, outcome, customerId }) => {
    return { track, box, outcome, customerId, name: known.get(customerId) ?? null };
  });
  const header = Buffer.from(JSON.stringify({ tenant, camera, mediaMs, width, height, tracks, jpegBytes: jpeg.length }));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(header.length);
  return [length, header, jpeg];
}
