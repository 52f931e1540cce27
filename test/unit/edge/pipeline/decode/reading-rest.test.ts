import { expect, test } from 'vitest';
import { ReadingRest } from '../../../../../edge/pipeline/decode/reading-rest.ts';

const FPS = 5;
const PICTURE_MS = 40;
const PICTURES = 5000;

/** A camera of 25 pictures a second of which each takes `decodeMs`: the rests, and how late each sample is looked at. */
function watch(decodeMs: number, delayOf: (picture: number) => number = () => 0): { rests: number[]; late: number[] } {
  const rest = new ReadingRest(FPS);
  const rests: number[] = [];
  const late: number[] = [];
  let now = 0;
  let waitedMs = 0;
  for (let picture = 0; picture < PICTURES; picture++) {
    const due = picture * PICTURE_MS;
    const arrived = due + delayOf(picture);
    waitedMs += Math.max(0, arrived - now);
    now = Math.max(now, arrived) + decodeMs;
    if (picture % (1000 / PICTURE_MS / FPS) !== 0) continue;
    late.push(now - due);
    rests.push(rest.afterSample(waitedMs));
    now += rests.at(-1) ?? 0;
    waitedMs = 0;
  }
  return { rests, late };
}

test.each([1, 4, 10])('most of the time is rested where a picture takes %i ms, and no sample is late for it', (decodeMs) => {
  const { rests, late } = watch(decodeMs);
  const spareMs = 1000 / FPS - 5 * decodeMs;
  expect(rests.at(-1)).toBeGreaterThan(spareMs - 30);
  expect(rests.at(-1)).toBeLessThan(spareMs);
  expect(Math.max(...late)).toBeLessThanOrEqual(decodeMs + 0.01);
});

test('where there is no time to spare none is rested', () => {
  expect(Math.max(...watch(39).rests.slice(1))).toBe(0);
});

test('a box that was behind catches up before it rests again', () => {
  const held = (picture: number): number => (picture < 500 ? 0 : Math.max(0, 3000 - (picture - 500) * PICTURE_MS));
  const { rests, late } = watch(10, held);
  // Fifteen samples came at once.
  expect(late.slice(100, 115).every((ms) => ms > 200)).toBe(true);
  expect(rests.slice(104, 112).every((ms) => ms === 0)).toBe(true);
  expect(late.slice(130).every((ms) => ms <= 10.01)).toBe(true);
  expect(rests.at(-1)).toBeGreaterThan(100);
});

test('packets that come and go unevenly cost a sample no more than their own delay and a little', () => {
  const uneven = (picture: number): number => (picture * 7919) % 30;
  const { rests, late } = watch(4, uneven);
  expect(Math.max(...late)).toBeLessThan(50);
  expect(rests.reduce((sum, ms) => sum + ms, 0) / rests.length).toBeGreaterThan(100);
});

test('of a camera of which a picture is wanted every ten seconds what comes does not pile up', () => {
  expect(new ReadingRest(0.1).afterSample(10_000)).toBe(400);
});
