import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Gathered } from '../../../../shared/runtime/gathered.ts';

/** Doubles numbers, but for those that cannot be done; each lot waits until the test lets it go. */
function doubling(most: number, atOnce: number, impossible: number[] = []) {
  const lots: number[][] = [];
  const gates: (() => void)[] = [];
  const work = async (items: readonly number[]): Promise<number[]> => {
    lots.push([...items]);
    await new Promise<void>((resolve) => gates.push(resolve));
    if (items.some((item) => impossible.includes(item))) throw new Error(`not ${items}`);
    return items.map((item) => item * 2);
  };
  const pass = async (): Promise<void> => {
    await turn();
    gates.shift()?.();
    await turn();
  };
  return { gathered: new Gathered({ work, most, atOnce }), lots, pass };
}

test('what comes in the same moment is done together, and what comes meanwhile after it', async () => {
  const { gathered, lots, pass } = doubling(3, 1);
  const done = Promise.all([1, 2].map((item) => gathered.run(item)));
  await pass();
  const more = Promise.all([3, 4, 5, 6].map((item) => gathered.run(item)));
  for (let lot = 0; lot < 3; lot += 1) await pass();
  expect(await done).toEqual([2, 4]);
  expect(await more).toEqual([6, 8, 10, 12]);
  expect(lots).toEqual([[1, 2], [3, 4, 5], [6]]);
});

test('as many lots are under way as may be', async () => {
  const { gathered, lots, pass } = doubling(1, 2);
  const done = Promise.all([1, 2, 3].map((item) => gathered.run(item)));
  await turn();
  expect(lots).toEqual([[1], [2]]);
  for (let lot = 0; lot < 3; lot += 1) await pass();
  expect(await done).toEqual([2, 4, 6]);
});

test('between two lots everything else has its turn, however fast they are done', async () => {
  const seen: string[] = [];
  const work = async (items: readonly number[]): Promise<readonly number[]> => {
    seen.push(`lot ${items}`);
    return items;
  };
  const gathered = new Gathered({ work, most: 1, atOnce: 1 });
  const done = Promise.all([1, 2, 3].map((item) => gathered.run(item)));
  for (let times = 0; times < 3; times += 1) {
    await turn();
    seen.push('something else');
  }
  await done;
  expect(seen).toEqual(['lot 1', 'something else', 'lot 2', 'something else', 'lot 3', 'something else']);
});

test('one that cannot be done does not take the others with it', async () => {
  const { gathered, pass } = doubling(3, 1, [2]);
  const done = Promise.allSettled([1, 2, 3].map((item) => gathered.run(item)));
  for (let lot = 0; lot < 4; lot += 1) await pass();
  expect(await done).toEqual([
    { status: 'fulfilled', value: 2 },
    { status: 'rejected', reason: new Error('not 2') },
    { status: 'fulfilled', value: 6 },
  ]);
});

test('whoever waits until it has caught up waits for what was asked for before, also where that failed, and for nothing after', async () => {
  const { gathered, pass } = doubling(2, 1, [2]);
  await gathered.caughtUp();
  const before = Promise.allSettled([1, 2, 3].map((item) => gathered.run(item)));
  let isCaughtUp = false;
  const caughtUp = gathered.caughtUp().then(() => {
    isCaughtUp = true;
  });
  const after = gathered.run(4);
  // The first two together and then alone, since they fail; the third comes together with the fourth.
  for (let lot = 0; lot < 3; lot += 1) await pass();
  expect(isCaughtUp).toBe(false);
  await pass();
  await caughtUp;
  expect((await before).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(await after).toBe(8);
});
