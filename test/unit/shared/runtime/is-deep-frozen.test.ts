import { expect, test } from 'vitest';
import { deepFreeze } from '../../../../shared/runtime/deep-freeze.ts';
import { isDeepFrozen } from '../../../../shared/runtime/is-deep-frozen.ts';

test.each([1, 'text', null, undefined, {}, [], { of: [{ what: ['lies', { deep: true }] }] }])(
  '%j never changes once it is frozen',
  (data) => {
    expect(isDeepFrozen(deepFreeze(data))).toBe(true);
  },
);

test.each([
  ['nothing', { of: 'it' }],
  ['the outside alone', Object.freeze({ of: ['it'] })],
  ['the inside alone', { of: Object.freeze(['it']) }],
  ['a date, which can be set', deepFreeze({ at: new Date(0) })],
  ['a map, which can be filled', deepFreeze({ at: new Map() })],
])('with %s frozen, it can change', (_what, data) => {
  expect(isDeepFrozen(data)).toBe(false);
});
