import { expect, test } from 'vitest';
import { collectGarbage } from '../../../../edge/runtime/collect-garbage.ts';
import { DeadMemory } from '../../../../edge/runtime/dead-memory.ts';

/** An object that nobody holds, so old that the engine is in no hurry to collect it. @returns whether it is still there */
function dead(): () => boolean {
  const object = {};
  const reference = new WeakRef(object);
  collectGarbage();
  collectGarbage();
  return () => reference.deref() !== undefined;
}

test('what is dead is collected when it was said, and what was said to be later as well', async () => {
  const memory = new DeadMemory();
  const [one, other] = [dead(), dead()];
  memory.clearWithin(3_600_000);
  memory.clearWithin(100);
  memory.clearWithin(3_600_000);
  await expect.poll(() => [one(), other()]).toEqual([false, false]);
});

test('and so is what died after that', async () => {
  const memory = new DeadMemory();
  for (let round = 0; round < 2; round += 1) {
    const one = dead();
    memory.clearWithin(50);
    await expect.poll(one, { message: `round ${round}` }).toBe(false);
  }
});
