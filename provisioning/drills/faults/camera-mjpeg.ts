import type { Fault } from '../fault.ts';
import { requireThat } from '../harness/not-held.ts';
import { VICTIM, withVictim } from '../harness/with-victim.ts';

// Seen to fail with every codec of FFmpeg let through: no reason was told for as long as anybody waited (30 s).
export const cameraMjpeg: Fault = {
  name: 'camera-mjpeg',
  expected:
    'a camera that is set to Motion JPEG is camera_unsupported, the living ones keep 98 %; live within 3 s of its way back to H.264',
  run: (venue) =>
    withVictim(venue, async (victim, box) => {
      const from = box.daemon.events.length;
      const kept = await box.keepsFrames(async () => {
        victim.damage({ mjpeg: true });
        victim.dropConnections();
        await box.daemon.until('camera', ({ camera, reason }) => camera === VICTIM && reason === 'camera_unsupported', from);
      });
      const reasons = box.daemon.events
        .slice(from)
        .flatMap((event) => (event.type === 'camera' && event.reason !== null ? event.reason : []));
      requireThat(reasons.at(-1) === 'camera_unsupported', `told as ${reasons.join(', ')}`);
      const returned = await box.returns(VICTIM, () => victim.damage({}));
      return `${kept}, ${returned}`;
    }),
};
