import type { Fault } from '../fault.ts';
import { requireThat, TooSlow } from '../harness/not-held.ts';
import { VICTIM, withVictim } from '../harness/with-victim.ts';

/** From the last packet: three seconds of silence, a pause of half a second at most, and the call. */
const LIVE_AGAIN_MS = 5000;

// Seen to fail without the watchdog for silence: the box held on to the dead connection for 30 s, and then said camera_unsupported.
export const cameraHalfOpen: Fault = {
  name: 'camera-half-open',
  expected: 'a camera that lost its power and forgot the connection, which stays open, is camera_silent and called anew: live within 5 s',
  run: (venue) =>
    withVictim(venue, async (victim, box) => {
      const from = box.daemon.events.length;
      const started = performance.now();
      victim.forgetClients();
      let seconds = 0;
      const kept = await box.keepsFrames(async () => {
        const reason = await box.failsOf(VICTIM, from);
        requireThat(reason === 'camera_silent', `told as ${reason}`);
        await box.daemon.until('camera', ({ camera, state }) => camera === VICTIM && state === 'live', from);
        seconds = (performance.now() - started) / 1000;
        if (seconds * 1000 > LIVE_AGAIN_MS) throw new TooSlow(`live again after ${seconds.toFixed(1)} s only`);
      });
      return `${kept}, live again after ${seconds.toFixed(1)} s`;
    }),
};
