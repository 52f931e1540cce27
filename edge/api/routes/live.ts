import type { Api, RouteContext } from '../api.ts';
import { Names } from '../names.ts';
import type { LiveFrame } from '../ports.ts';
import { cameraParams } from '../schemas/venue.ts';
import { LiveStream } from '../streams/live-stream.ts';

const LIVE_TYPE = 'application/vnd.securegate.live';

export function addLiveRoute(api: Api, { box, clock, streams }: RouteContext): void {
  api.route({
    method: 'GET',
    url: '/v1/tenants/:tenant/cameras/:id/live',
    config: { access: 'live', gives: LIVE_TYPE },
    schema: {
      summary: 'Analysed pictures of a camera with what was seen on them, as they come',
      description: 'Messages of `u32be headerLength | JSON header | JPEG`; the header says how long the JPEG is (`jpegBytes`).',
      tags: ['cameras'],
      params: cameraParams,
    },
    handler: async (request, reply) => {
      const { tenant, id } = request.params;
      const names = new Names(box.tenants.vault(tenant), request.principal, clock.monotonic);
      box.cameras.get(tenant, id);
      // One picture at a time, so that none overtakes another whose names are still being looked up.
      let formatting = false;
      const stream: LiveStream = streams.add(
        request,
        () =>
          new LiveStream((send) =>
            box.cameras.watch(tenant, id, (frame) => {
              if (!stream.wanted || formatting) return;
              formatting = true;
              formatFrame(frame, names)
                .then(send, (error: unknown) => request.log.warn({ err: error }, 'a live picture was not sent'))
                .finally(() => {
                  formatting = false;
                });
            }),
          ),
      );
      // The reader learns at once that he may watch, also while the camera has nothing to show.
      stream.once('resume', () => reply.raw.flushHeaders());
      return reply.type(LIVE_TYPE).send(stream);
    },
  });
}

/** `u32be headerLength | JSON header | JPEG` */
async function formatFrame({ mediaMs, width, height, jpeg, tracks }: LiveFrame, names: Names): Promise<Buffer> {
  const named = await Promise.all(
    tracks.map(async ({ track, box, outcome, customerId }) => ({ track, box, outcome, customerId, name: await names.of(customerId) })),
  );
  const header = Buffer.from(JSON.stringify({ mediaMs, width, height, tracks: named, jpegBytes: jpeg.length }));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(header.length);
  return Buffer.concat([length, header, jpeg]);
}
