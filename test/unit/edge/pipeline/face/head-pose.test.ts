import { describe, expect, test } from 'vitest';
import { headPose } from '../../../../../edge/pipeline/face/head-pose.ts';
import type { FivePoints, Point } from '../../../../../edge/pipeline/frame.ts';

/** Eyes, nose tip and mouth corners of a plain head: x to the right of the picture, y down, z towards the camera. */
const HEAD = [
  [-1, -1, 0],
  [1, -1, 0],
  [0, 0.06, 1],
  [-0.8, 1, 0],
  [0.8, 1, 0],
] as const;

/** The head as a camera far away sees it, turned by yaw, then pitch, then roll (degrees). */
function look(yaw: number, pitch: number, roll: number, scale = 40): FivePoints {
  const [cy, sy] = [Math.cos((yaw * Math.PI) / 180), Math.sin((yaw * Math.PI) / 180)];
  const [cp, sp] = [Math.cos((pitch * Math.PI) / 180), Math.sin((pitch * Math.PI) / 180)];
  const [cr, sr] = [Math.cos((roll * Math.PI) / 180), Math.sin((roll * Math.PI) / 180)];
  const [a, b, c, d, e] = HEAD.map(([x, y, z]): Point => {
    const turned = x * cy + z * sy;
    const depth = -x * sy + z * cy;
    const down = y * cp + depth * sp;
    return { x: 300 + scale * (turned * cr - down * sr), y: 200 + scale * (turned * sr + down * cr) };
  });
  return [a, b, c, d, e] as FivePoints;
}

describe('headPose', () => {
  test('a face from the front is at 0', () => {
    const pose = headPose(look(0, 0, 0));
    expect(pose.yaw).toBeCloseTo(0, 6);
    expect(Math.abs(pose.pitch)).toBeLessThan(2);
    expect(pose.roll).toBeCloseTo(0, 6);
  });

  test.each([-70, -40, -15, 20, 45, 80])('yaw %i within five degrees, whatever the size and the roll', (yaw) => {
    for (const roll of [-60, 0, 35]) {
      for (const scale of [8, 200]) {
        const pose = headPose(look(yaw, 0, roll, scale));
        expect(Math.abs(pose.yaw - yaw)).toBeLessThan(5);
        expect(Math.abs(pose.roll - roll)).toBeLessThan(1);
        expect(Math.abs(pose.pitch)).toBeLessThan(5);
      }
    }
  });

  test.each([-35, -15, 20, 40])('pitch %i within eight degrees; positive looks down', (pitch) => {
    expect(Math.abs(headPose(look(0, pitch, 0)).pitch - pitch)).toBeLessThan(8);
    expect(Math.abs(headPose(look(0, pitch, 30)).pitch - pitch)).toBeLessThan(8);
  });
});
