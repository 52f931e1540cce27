import { expect, test } from 'vitest';
import { isLate } from '../../../../../cloud/http/plugins/pressure.ts';

test.each([
  [999, 1000, false],
  [1001, 1000, true],
  [Number.POSITIVE_INFINITY, 200, true],
  [Number.POSITIVE_INFINITY, 1000, true],
  [Number.POSITIVE_INFINITY, 60_000, false],
])('a delay of %s ms under a limit of %s ms is too long: %s', (measuredMs, limitMs, late) => {
  expect(isLate(measuredMs, limitMs)).toBe(late);
});
