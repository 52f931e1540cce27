import { expect, test } from 'vitest';
import { SerialByKey } from '../../../../shared/runtime/serial-by-key.ts';

test('what concerns one key is done one after the other, and what concerns another goes on meanwhile', async () => {
  const work = new SerialByKey();
  const order: string[] = [];
  const slow = Promise.withResolvers<void>();
  const first = work.run('a', async () => {
    await slow.promise;
    order.push('first of a');
    throw new Error('broken');
  });
  const second = work.run('a', async () => order.push('second of a'));
  await work.run('b', async () => order.push('first of b'));
  slow.resolve();
  await expect(first).rejects.toThrow('broken');
  await second;
  expect(order).toEqual(['first of b', 'first of a', 'second of a']);
});
