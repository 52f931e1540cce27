import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newUlid, Ulids, ulidSchema } from '../../../../shared/ids/ulid.ts';

test('a ULID sorts by its time', () => {
  const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });
  fc.assert(
    fc.property(time, time, (one, other) => {
      const [a, b] = [newUlid(one), newUlid(other)];
      expect(ulidSchema.safeParse(a).success).toBe(true);
      if (one !== other) expect(a < b).toBe(one < other);
    }),
  );
});

test('the time is told as the specification does', () => {
  expect(newUlid(1469918176385, () => Buffer.alloc(16))).toBe('01ARYZ6S410000000000000000');
});

test('ids that are made in one moment, or while the clock is set back, sort as they were made', () => {
  let now = 5000;
  const ulids = new Ulids(() => now);
  const made = Array.from({ length: 50 }, (_, n) => {
    if (n === 25) now = 1000;
    return ulids.next();
  });
  expect(made.toSorted()).toEqual(made);
});
