import { expect, test } from 'vitest';
import { whenThere } from '../../../../shared/runtime/when-there.ts';

test('goes on at once with what is there, and later with what comes', async () => {
  expect(whenThere(1, (one) => one + 1)).toBe(2);
  const later = whenThere(Promise.resolve(1), (one) => one + 1);
  expect(later).toBeInstanceOf(Promise);
  expect(await later).toBe(2);
});

test('what fails, fails then', async () => {
  const failing = (): never => {
    throw new Error('no');
  };
  expect(() => whenThere(1, failing)).toThrow('no');
  await expect(whenThere(Promise.resolve(1), failing)).rejects.toThrow('no');
});
