import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Turns } from '../../../../../cloud/fleet/requests/turns.ts';
import type { SecureGateError } from '../../../../../shared/errors/securegate-error.ts';

let now = 0;
const OPTIONS = { atOnce: 2, mostWaiting: 3, patienceMs: 10_000, each: 2, monotonic: () => now };

/** Work that is done when the test says so. */
async function begin(turns: Turns, isLast = false) {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const state = { begun: false };
  const done = turns.run(isLast, () => {
    state.begun = true;
    return promise;
  });
  // Who waits for it hears of its failure.
  done.catch(() => undefined);
  await turn();
  return { state, done, resolve, reject };
}
type Begun = Awaited<ReturnType<typeof begin>>;

async function beginSeveral(turns: Turns, count: number): Promise<Begun[]> {
  const all: Begun[] = [];
  for (let begun = 0; begun < count; begun += 1) all.push(await begin(turns));
  return all;
}

test('so much is done at a time, in the order in which it came', async () => {
  const all = await beginSeveral(new Turns(OPTIONS), 4);
  const begun = (): boolean[] => all.map(({ state }) => state.begun);
  expect(begun()).toEqual([true, true, false, false]);
  all[1]?.resolve();
  await turn();
  expect(begun()).toEqual([true, true, true, false]);
  for (const { resolve } of all) resolve();
  await Promise.all(all.map(({ done }) => done));
  expect(begun()).toEqual([true, true, true, true]);
});

test('what is near its end goes before what came earlier', async () => {
  const turns = new Turns({ ...OPTIONS, atOnce: 1 });
  const [first, early, last] = [await begin(turns), await begin(turns), await begin(turns, true)];
  first.resolve();
  await turn();
  expect([early.state.begun, last.state.begun]).toEqual([false, true]);
  last.resolve();
  early.resolve();
  await Promise.all([early.done, last.done]);
});

test('more than can wait is refused; what fails hands on its turn', async () => {
  const turns = new Turns(OPTIONS);
  const [first, ...others] = await beginSeveral(turns, 5);
  await expect((await begin(turns)).done).rejects.toMatchObject({ code: 'overloaded' });
  const last = await begin(turns, true);
  first?.reject(new Error('failed'));
  await expect(first?.done).rejects.toThrow('failed');
  for (const { resolve } of [...others, last]) resolve();
  await Promise.all([...others, last].map(({ done }) => done));
  expect((await begin(turns)).state.begun).toBe(true);
});

test('who has waited too long is sent away, and the next who has not gets the turn', async () => {
  const turns = new Turns({ ...OPTIONS, atOnce: 1 });
  const [first, early, other] = await beginSeveral(turns, 3);
  now += OPTIONS.patienceMs + 1;
  const late = await begin(turns);
  first?.resolve();
  for (const { done, state } of [early, other] as Begun[]) {
    await expect(done).rejects.toMatchObject({ code: 'overloaded', details: { retryAfter: expect.any(Number) } });
    expect(state.begun).toBe(false);
  }
  await turn();
  expect(late.state.begun).toBe(true);
  late.resolve();
  await late.done;
  expect((await begin(turns)).state.begun).toBe(true);
});

test('those who are refused are told to come again one after the other, as fast as they can be served, and within minutes', async () => {
  const turns = new Turns(OPTIONS);
  // A turn takes a second: two at a time, and two for each who comes.
  for (let seen = 0; seen < 200; seen += 1) {
    const one = await begin(turns);
    now += 1000;
    one.resolve();
    await one.done;
  }
  await beginSeveral(turns, 5);
  const told: unknown[] = [];
  for (let refused = 0; refused < 400; refused += 1) {
    await (await begin(turns)).done.catch(({ details }: SecureGateError) => told.push(details.retryAfter));
  }
  expect([told[0], told[9], told[99], told.at(-1)]).toEqual([4, 13, 103, 120]);
});
