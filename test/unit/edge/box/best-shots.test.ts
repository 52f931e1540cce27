import { expect, onTestFinished, test, vi } from 'vitest';
import { BestShots } from '../../../../edge/box/best-shots.ts';
import type { FaceShot } from '../../../../edge/pipeline/frame.ts';

const NOW = 5000;

function shotOf(value: number, overall: number): FaceShot {
  const point = { x: 0, y: 0 };
  return {
    box: { x: 0, y: 0, width: 80, height: 80 },
    points: [point, point, point, point, point],
    quality: { sizePx: 80, sharpness: 2, yaw: 0, pitch: 0, roll: 0, cutOff: 0, overall },
    rejections: [],
    aligned: { width: 112, height: 112, data: Buffer.alloc(112 * 112 * 3, value) },
  };
}

async function started(ttlMs: () => number = () => 10_000) {
  const time = { monotonic: NOW };
  const shots = new BestShots({ now: () => 0, monotonic: () => time.monotonic }, ttlMs);
  await shots.start();
  onTestFinished(() => shots.stop());
  const pass = (milliseconds: number): void => {
    time.monotonic += milliseconds;
  };
  return { shots, pass };
}

test('keeps a copy of the best shot of a sighting, which the caller may overwrite', async () => {
  const { shots } = await started();
  const original = shotOf(7, 0.5);
  shots.offer('hall', 'sig_a', original, NOW);
  shots.offer('hall', 'sig_a', shotOf(9, 0.4), NOW);
  original.aligned.data.fill(0);
  shots.take('hall', 'sig_a')?.aligned.data.fill(0);
  expect(shots.take('hall', 'sig_a')?.aligned.data.every((value) => value === 7)).toBe(true);
  shots.offer('hall', 'sig_a', shotOf(8, 0.6), NOW);
  expect(shots.take('hall', 'sig_a')?.aligned.data[0]).toBe(8);
});

test("gives nobody another tenant's shot", async () => {
  const { shots } = await started();
  shots.offer('hall', 'sig_a', shotOf(7, 0.5), NOW);
  expect(shots.take('club', 'sig_a')).toBeUndefined();
  expect(shots.has('club', 'sig_a')).toBe(false);
});

test('a shot is gone when it is as old as the tenant allows now, counted from when it was taken', async () => {
  let ttlMs = 10_000;
  const { shots, pass } = await started(() => ttlMs);
  shots.offer('hall', 'sig_a', shotOf(7, 0.5), NOW - 6000);
  pass(3000);
  expect(shots.has('hall', 'sig_a')).toBe(true);
  ttlMs = 9000;
  expect(shots.has('hall', 'sig_a')).toBe(false);
  expect(shots.take('hall', 'sig_a')).toBeUndefined();
});

test('keeps no more than it may, and drops the oldest', async () => {
  const { shots } = await started();
  for (let index = 0; index <= 200; index += 1) shots.offer('hall', `sig_${index}`, shotOf(1, 0.5), NOW);
  expect(shots.has('hall', 'sig_0')).toBe(false);
  expect(shots.has('hall', 'sig_1')).toBe(true);
  expect(shots.has('hall', 'sig_200')).toBe(true);
});

test('what is too old, replaced or left at the stop is overwritten in memory', async () => {
  const copies: Buffer[] = [];
  const { alloc } = Buffer;
  const spy = vi.spyOn(Buffer, 'alloc').mockImplementation((...given: Parameters<typeof alloc>) => {
    const buffer = alloc(...given);
    copies.push(buffer);
    return buffer;
  });
  onTestFinished(() => spy.mockRestore());
  const { shots, pass } = await started();
  const [first, second, third] = [shotOf(7, 0.5), shotOf(8, 0.6), shotOf(9, 0.5)];
  copies.length = 0;
  shots.offer('hall', 'sig_a', first, NOW);
  shots.offer('hall', 'sig_a', second, NOW);
  const isOverwritten = (copy: Buffer | undefined): boolean => copy?.every((value) => value === 0) === true;
  expect(copies.map(isOverwritten)).toEqual([true, false]);
  pass(10_000);
  await expect.poll(() => copies.map(isOverwritten)).toEqual([true, true]);
  shots.offer('hall', 'sig_b', third, NOW + 10_000);
  expect(isOverwritten(copies[2])).toBe(false);
  await shots.stop();
  expect(isOverwritten(copies[2])).toBe(true);
});

test('a shot that is held outlives its time for as long as the hold is renewed, and three minutes at most', async () => {
  const { shots, pass } = await started();
  shots.offer('hall', 'sig_a', shotOf(7, 0.5), NOW);
  expect(shots.hold('hall', 'sig_a')).toEqual({ forMs: 10_000, atMostMs: 180_000 });
  for (let held = 8000; held < 180_000; held += 8000) {
    pass(8000);
    expect(shots.hold('hall', 'sig_a')).toEqual({ forMs: Math.min(10_000, 180_000 - held), atMostMs: 180_000 - held });
  }
  expect(shots.take('hall', 'sig_a')?.aligned.data[0]).toBe(7);
  pass(4000);
  expect(shots.has('hall', 'sig_a')).toBe(false);
  expect(shots.hold('hall', 'sig_a')).toBeUndefined();
});

test('a hold that nobody renews is over soon', async () => {
  const { shots, pass } = await started();
  shots.offer('hall', 'sig_a', shotOf(7, 0.5), NOW);
  pass(9000);
  shots.hold('hall', 'sig_a');
  pass(9000);
  expect(shots.has('hall', 'sig_a')).toBe(true);
  pass(1000);
  expect(shots.has('hall', 'sig_a')).toBe(false);
});

test('a crowd does not push a held shot out, and only a few are held at once', async () => {
  const { shots } = await started();
  for (let index = 0; index < 200; index += 1) shots.offer('hall', `sig_${index}`, shotOf(1, 0.5), NOW);
  for (let index = 0; index < 8; index += 1) shots.hold('hall', `sig_${index}`);
  expect(() => shots.hold('hall', 'sig_8')).toThrow(expect.objectContaining({ code: 'overloaded' }));
  expect(shots.hold('hall', 'sig_0')).toBeDefined();
  expect(shots.hold('club', 'sig_0')).toBeUndefined();
  shots.offer('hall', 'sig_200', shotOf(1, 0.5), NOW);
  expect([shots.has('hall', 'sig_0'), shots.has('hall', 'sig_8'), shots.has('hall', 'sig_200')]).toEqual([true, false, true]);
});
