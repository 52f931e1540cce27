import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import type { Fault } from '../fault.ts';
import { requireThat } from '../harness/not-held.ts';

const DEAD = 20;

// Seen to fail with libuv's usual four threads: the silent ones held all of them, and 14 % of the living cameras' frames were left.
export const twentyDeadCameras: Fault = {
  name: 'twenty-dead-cameras',
  expected:
    'beside 20 cameras that refuse (10) or never answer (10) the four living ones keep 98 % of their frames; each dead one says why',
  run: async (venue) => {
    const silent = createServer((socket) => void socket.on('error', () => socket.destroy()).resume());
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    try {
      const more = Object.fromEntries(
        Array.from({ length: DEAD }, (_, index) => [
          `dead-${index}`,
          index % 2 === 0 ? `rtsp://127.0.0.1:${port}/` : 'rtsp://127.0.0.1:1/',
        ]),
      );
      const box = await venue.box({ more });
      await box.start();
      const kept = await box.keepsFrames(async () => {
        for (const id of Object.keys(more)) {
          const reason = await box.failsOf(id, 0);
          requireThat(reason === 'camera_unreachable', `${id} told as ${reason}`);
        }
      });
      return `${kept}, ${DEAD} reasons`;
    } finally {
      silent.close();
    }
  },
};
