import { expect, test } from 'vitest';
import { targetsOf } from '../../bench/report/targets.ts';

const GOOD = { idleCorePct: 30, busyCorePct: 60, candidatesP95Ms: 120, queueing: 1.1, pipeTimes: { idle: 2.4, busy: 2.1 } };

test('good figures hold every target', () => {
  expect(targetsOf(GOOD).map(({ held }) => held)).toEqual([true, true, true, true, true, true]);
});

test.each([
  [0, { idleCorePct: 70 }],
  [1, { busyCorePct: 151 }],
  [2, { candidatesP95Ms: 401 }],
  [3, { queueing: 1.31 }],
  [4, { pipeTimes: { idle: 1.99, busy: 2 } }],
  [5, { pipeTimes: { idle: 2, busy: 1.99 } }],
])('target %d is missed by a worse figure, and only that one', (index, worse) => {
  expect(targetsOf({ ...GOOD, ...worse }).flatMap(({ held }, at) => (held === false ? [at] : []))).toEqual([index]);
});

test('what was not measured is neither held nor missed', () => {
  expect(targetsOf({ ...GOOD, pipeTimes: null }).at(-1)).toMatchObject({ figure: 'not measured', held: null });
});
