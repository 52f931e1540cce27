import { startCameras } from '../../demo/camera/start-cameras.ts';
import { FRAME } from '../../demo/footage/script.ts';
import type { Fault } from '../fault.ts';
import { requireThat } from '../harness/not-held.ts';
import { VICTIM } from '../harness/with-victim.ts';

// Seen to fail without the watchdog for silence: half a minute later the camera was still "live", without a picture.
export const cameraStalled: Fault = {
  name: 'camera-stalled',
  expected: 'a camera that hangs (SIGSTOP) is camera_silent, the living ones keep 98 % of their frames; live within 3 s of SIGCONT',
  run: async (venue) => {
    const victim = await startCameras({ videos: { [VICTIM]: venue.filmOf('harbour-bar') }, fps: FRAME.fps, end: 'loop' });
    try {
      const box = await venue.box({ more: victim.urls });
      await box.start();
      await box.daemon.until('camera', ({ camera, state }) => camera === VICTIM && state === 'live');
      const from = box.daemon.events.length;
      let reason = '';
      const kept = await box.keepsFrames(async () => {
        process.kill(victim.pid, 'SIGSTOP');
        reason = await box.failsOf(VICTIM, from);
      });
      requireThat(reason === 'camera_silent', `told as ${reason}`);
      const returned = await box.returns(VICTIM, () => void process.kill(victim.pid, 'SIGCONT'));
      return `${kept}, ${returned}`;
    } finally {
      process.kill(victim.pid, 'SIGCONT');
      await victim.stop();
    }
  },
};
