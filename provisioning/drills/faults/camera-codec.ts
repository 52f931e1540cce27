import type { Fault } from '../fault.ts';
import { smallFilm } from '../harness/small-film.ts';
import { VICTIM, withVictim } from '../harness/with-victim.ts';

// Seen to fail with H.265 taken from the list of codecs: the camera was camera_unsupported, and not live again.
export const cameraCodec: Fault = {
  name: 'camera-codec',
  expected: 'a camera that is set from H.264 to H.265, and back, is live within 3 s each time; the living ones keep 98 % of their frames',
  run: (venue) =>
    withVictim(venue, async (victim, box) => {
      const returned: string[] = [];
      const kept = await box.keepsFrames(async () => {
        for (const codec of ['h265', 'h264'] as const) {
          const film = await smallFilm(codec);
          const told = await box.returns(VICTIM, () => {
            victim.show(film);
            victim.dropConnections();
          });
          returned.push(`${codec}: ${told}`);
        }
      });
      return `${kept}; ${returned.join(', ')}`;
    }),
};
