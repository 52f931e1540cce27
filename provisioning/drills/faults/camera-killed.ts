import { startCameras } from '../../demo/camera/start-cameras.ts';
import { FRAME } from '../../demo/footage/script.ts';
import type { Fault } from '../fault.ts';
import { VICTIM } from '../harness/with-victim.ts';

// Seen to fail with pauses between calls of up to 15 s: away for some seconds, the camera was not live 3 s after its return.
export const cameraKilled: Fault = {
  name: 'camera-killed',
  expected: 'living cameras keep 98 % of their frames; the dead one is camera_unreachable, and live within 3 s of its return',
  run: async (venue) => {
    const start = { videos: { [VICTIM]: venue.filmOf('harbour-bar') }, fps: FRAME.fps, end: 'loop' } as const;
    const victim = await startCameras(start);
    const url = victim.urls[VICTIM] ?? '';
    const box = await venue.box({ more: { [VICTIM]: url } });
    await box.start();
    await box.daemon.until('camera', ({ camera, state }) => camera === VICTIM && state === 'live');
    const from = box.daemon.events.length;
    const kept = await box.keepsFrames(async () => {
      process.kill(victim.pid, 'SIGKILL');
      await victim.stop();
      await box.daemon.until('camera', ({ camera, reason }) => camera === VICTIM && reason === 'camera_unreachable', from);
    });
    let again = victim;
    try {
      const returned = await box.returns(VICTIM, async () => {
        again = await startCameras({ ...start, port: Number(new URL(url).port) });
      });
      return `${kept}, ${returned}`;
    } finally {
      await again.stop();
    }
  },
};
