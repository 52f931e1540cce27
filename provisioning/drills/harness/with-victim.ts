import { RtspCamera } from '../../demo/camera/rtsp-camera.ts';
import { FRAME } from '../../demo/footage/script.ts';
import type { Box } from './box.ts';
import type { Venue } from './venue.ts';

/** Id of the camera that things happen to. */
export const VICTIM = 'victim';

/** Starts a box with a fifth camera, and lets `work` spoil that one once it is live. */
export async function withVictim<Result>(venue: Venue, work: (victim: RtspCamera, box: Box) => Promise<Result>): Promise<Result> {
  const victim = new RtspCamera({ video: await venue.film('harbour-bar'), fps: FRAME.fps, end: 'loop' });
  await victim.start();
  try {
    const box = await venue.box({ more: { [VICTIM]: victim.url } });
    await box.start();
    await box.daemon.until('camera', ({ camera, state }) => camera === VICTIM && state === 'live');
    return await work(victim, box);
  } finally {
    await victim.stop();
  }
}
