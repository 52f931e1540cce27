import type { Fault } from '../fault.ts';
import { NotHeld, requireThat, TooSlow } from '../harness/not-held.ts';
import { smallFilm } from '../harness/small-film.ts';
import { VICTIM, withVictim } from '../harness/with-victim.ts';

// Seen to fail with a converter that keeps the first picture's size: it read beyond the smaller picture, and the daemon ended by SIGSEGV.
export const cameraResolution: Fault = {
  name: 'camera-resolution',
  expected:
    'a camera that is set to another picture size stays live, looked at at its full rate but for one second; the living ones keep 98 % of their frames',
  run: (venue) =>
    withVictim(venue, async (victim, box) => {
      const film = await smallFilm();
      const from = box.daemon.events.length;
      const before = await box.daemon.nextStats();
      const kept = await box.keepsFrames(async () => victim.show(film));
      const after = await box.daemon.nextStats();
      const [earlier, later] = [before, after].map(({ cameras }) => cameras.find(({ camera }) => camera === VICTIM));
      if (earlier === undefined || later === undefined) throw new NotHeld('the camera is gone');
      const rate = ((later.frames - earlier.frames) * 1000) / (after.uptimeMs - before.uptimeMs);
      requireThat(later.failures === earlier.failures, `${later.failures - earlier.failures} frames were given up`);
      box.requireAllLive(from);
      // The stream goes on in the middle of a second, and stands alone again from the next one on.
      if (rate < later.fpsWanted * 0.8) throw new TooSlow(`only ${rate.toFixed(1)} frames a second`);
      return `${kept}, ${rate.toFixed(1)} frames a second of the camera itself`;
    }),
};
