import { describe, expect, onTestFinished, test } from 'vitest';
import { MicroBatcher } from '../../../../edge/inference/micro-batcher.ts';

/** A batcher whose timer and computation the test moves by hand. */
function setUp({ maxBatch = 4, maxRunning = 1, maxWaiting = 100 } = {}) {
  const batches: (readonly number[])[] = [];
  const running: PromiseWithResolvers<readonly string[]>[] = [];
  const timers = new Set<() => void>();
  const batcher = new MicroBatcher<number, string>({
    maxBatch,
    maxRunning,
    maxWaiting,
    deadlineMs: 10,
    run: (items) => {
      batches.push(items);
      const result = Promise.withResolvers<readonly string[]>();
      running.push(result);
      return result.promise;
    },
    startTimer: (_ms, expired) => {
      timers.add(expired);
      return () => timers.delete(expired);
    },
  });
  const passDeadline = (): void => {
    for (const expired of [...timers]) {
      timers.delete(expired);
      expired();
    }
  };
  /** Ends the batch of this number as a model would. */
  const finish = (batch: number): void => running[batch]?.resolve((batches[batch] ?? []).map(String));
  onTestFinished(async () => {
    for (const result of running) result.resolve([]);
    await batcher.stop();
  });
  return { batcher, batches, running, timers, passDeadline, finish };
}

/** Lets everything that is ready go on. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a batch starts', () => {
  test('when it is full, without waiting', () => {
    const { batcher, batches, timers } = setUp({ maxBatch: 2 });
    void batcher.submit(1).catch(String);
    expect(batches).toEqual([]);
    void batcher.submit(2).catch(String);
    expect(batches).toEqual([[1, 2]]);
    expect(timers.size).toBe(0);
  });

  test('when its first item has waited long enough', () => {
    const { batcher, batches, timers, passDeadline } = setUp();
    void batcher.submit(1).catch(String);
    void batcher.submit(2).catch(String);
    expect(timers.size).toBe(1);
    expect(batcher.waiting).toBe(2);
    passDeadline();
    expect(batches).toEqual([[1, 2]]);
    expect(batcher.waiting).toBe(0);
  });

  test('as soon as the one before has ended, with what arrived meanwhile', async () => {
    const { batcher, batches, passDeadline, finish } = setUp({ maxBatch: 2 });
    const outputs = [1, 2, 3, 4, 5].map((item) => batcher.submit(item));
    expect(batches).toEqual([[1, 2]]);
    passDeadline();
    expect(batches).toHaveLength(1);
    for (const batch of [0, 1, 2]) {
      finish(batch);
      await settle();
    }
    expect(batches).toEqual([[1, 2], [3, 4], [5]]);
    expect(await Promise.all(outputs)).toEqual(['1', '2', '3', '4', '5']);
  });
});

test('as many batches run at the same time as may, and the next one as soon as one of them has ended', async () => {
  const { batcher, batches, finish } = setUp({ maxBatch: 1, maxRunning: 2 });
  const outputs = [1, 2, 3].map((item) => batcher.submit(item));
  expect(batches).toEqual([[1], [2]]);
  expect(batcher.waiting).toBe(1);
  finish(1);
  await settle();
  expect(batches).toEqual([[1], [2], [3]]);
  finish(0);
  finish(2);
  expect(await Promise.all(outputs)).toEqual(['1', '2', '3']);
});

describe('a failure', () => {
  test('reaches the items of its batch only', async () => {
    const { batcher, running, finish } = setUp({ maxBatch: 2 });
    const outputs = Promise.allSettled([1, 2, 3, 4].map((item) => batcher.submit(item)));
    running[0]?.reject(new Error('broken'));
    await settle();
    finish(1);
    expect((await outputs).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled', 'fulfilled']);
  });

  test('is a number of results that does not fit as well', async () => {
    const { batcher, running } = setUp({ maxBatch: 2 });
    const outputs = Promise.allSettled([batcher.submit(1), batcher.submit(2)]);
    running[0]?.resolve(['1']);
    for (const output of await outputs) expect(output).toMatchObject({ status: 'rejected', reason: { code: 'inference_failed' } });
  });

  test('of `run` before it returns a promise stops nothing', async () => {
    let calls = 0;
    const batcher = new MicroBatcher<number, number>({
      maxBatch: 1,
      maxRunning: 1,
      maxWaiting: 10,
      deadlineMs: 10,
      run: (items) => {
        calls += 1;
        if (calls === 1) throw new Error('broken');
        return Promise.resolve(items);
      },
    });
    await expect(batcher.submit(1)).rejects.toThrow('broken');
    await expect(batcher.submit(2)).resolves.toBe(2);
  });
});

test('more items than may wait are refused, and the others are not touched', async () => {
  const { batcher, finish } = setUp({ maxBatch: 1, maxWaiting: 2 });
  const outputs = [1, 2, 3].map((item) => batcher.submit(item));
  await expect(batcher.submit(4)).rejects.toMatchObject({ code: 'overloaded' });
  for (const batch of [0, 1, 2]) {
    finish(batch);
    await settle();
  }
  expect(await Promise.all(outputs)).toEqual(['1', '2', '3']);
});

test('stopping lets the running batch finish and refuses everything else', async () => {
  const { batcher, batches, timers, finish } = setUp({ maxBatch: 1 });
  const [first, second] = [batcher.submit(1), batcher.submit(2)];
  const refused = expect(second).rejects.toMatchObject({ code: 'stopped' });
  const stopped = batcher.stop();
  await refused;
  await expect(batcher.submit(3)).rejects.toMatchObject({ code: 'stopped' });
  finish(0);
  await stopped;
  await expect(first).resolves.toBe('1');
  expect(batches).toHaveLength(1);
  expect(timers.size).toBe(0);
});

test('the system timer starts a batch as well', async () => {
  const batcher = new MicroBatcher<number, number>({
    maxBatch: 8,
    maxRunning: 1,
    maxWaiting: 8,
    deadlineMs: 1,
    run: async (items) => items,
  });
  await expect(batcher.submit(7)).resolves.toBe(7);
});
