import type { RtspCamera } from '../../demo/camera/rtsp-camera.ts';
import type { Damage } from '../../demo/camera/rtsp-session.ts';
import type { Box } from './box.ts';
import { TooSlow } from './not-held.ts';
import { VICTIM } from './with-victim.ts';

/**
 * Damages a camera's stream for some seconds, mends it, and looks whether the camera's own rate comes back.
 * @throws {NotHeld} where the living cameras lose frames, or the damaged one is given up or stays damaged
 */
export async function recovers(victim: RtspCamera, box: Box, damage: Damage): Promise<string> {
  const from = box.daemon.events.length;
  const kept = await box.keepsFrames(async () => victim.damage(damage));
  box.requireAllLive(from);
  victim.damage({});
  // A second until the next picture that stands alone, and one for the figures.
  await box.daemon.nextStats();
  await box.daemon.nextStats();
  const before = await box.daemon.nextStats();
  const after = await box.daemon.until('stats', ({ uptimeMs }) => uptimeMs >= before.uptimeMs + 2900, box.daemon.events.length);
  const [earlier, later] = [before, after].map(({ cameras }) => cameras.find(({ camera }) => camera === VICTIM)?.frames ?? 0);
  const rate = (((later ?? 0) - (earlier ?? 0)) * 1000) / (after.uptimeMs - before.uptimeMs);
  if (rate <= 4.5) throw new TooSlow(`the camera came back at ${rate.toFixed(1)} frames a second`);
  return `${kept}, ${rate.toFixed(1)} frames a second of the camera itself afterwards`;
}
