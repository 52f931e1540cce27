import type { Fault } from '../fault.ts';
import { recovers } from '../harness/recovers.ts';
import { withVictim } from '../harness/with-victim.ts';

// Seen to fail with a damaged picture taken for the end of the stream: the camera was given up and called anew, again and again.
export const packetLoss: Fault = {
  name: 'packet-loss',
  expected: 'a camera that loses 30 % of its RTP packets takes no frame from the living ones (98 %) and is at its full rate 3 s later',
  run: (venue) => withVictim(venue, (victim, box) => recovers(victim, box, { lost: 0.3 })),
};
