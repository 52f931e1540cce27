import { expect, test } from 'vitest';
import { SerialWork } from '../../../../shared/runtime/serial-work.ts';

test('one thing is done after the other, and a failure concerns only who asked', async () => {
  const work = new SerialWork();
  const order: string[] = [];
  const slow = Promise.withResolvers<void>();
  const first = work.run(async () => {
    await slow.promise;
    order.push('first');
    throw new Error('broken');
  });
  const second = work.run(async () => {
    order.push('second');
    return 2;
  });
  slow.resolve();
  await expect(first).rejects.toThrow('broken');
  expect(await second).toBe(2);
  await work.idle();
  expect(order).toEqual(['first', 'second']);
});
