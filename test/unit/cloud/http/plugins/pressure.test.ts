import { expect, onTestFinished, test } from 'vitest';
import { addPressure, isLate } from '../../../../../cloud/http/plugins/pressure.ts';
import { createHttpApi, listen } from '../../../../../shared/http/create-http-api.ts';
import { addProblems } from '../../../../../shared/http/problems.ts';
import { testLogger } from '../../../../helpers/secrecy/test-logger.ts';

/** Longer than the delay is measured at first. */
const START_MS = 1500;

test('a start that takes long is no pressure', async () => {
  const api = createHttpApi({ certificates: undefined, logger: testLogger() });
  onTestFinished(() => api.close());
  addProblems(api);
  await addPressure(api, { eventLoopDelayMs: 60_000 });
  api.get('/', { config: { operation: 'orgs.list' } }, async () => 'ok');
  await api.ready();
  const until = performance.now() + START_MS;
  while (performance.now() < until);
  const url = await listen(api, '127.0.0.1', 0, undefined);
  expect((await fetch(url)).status).toBe(200);
});

test.each([
  [999, 1000, false],
  [1001, 1000, true],
  [Number.POSITIVE_INFINITY, 200, true],
  [Number.POSITIVE_INFINITY, 1000, true],
  [Number.POSITIVE_INFINITY, 60_000, false],
])('a delay of %s ms under a limit of %s ms is too long: %s', (measuredMs, limitMs, late) => {
  expect(isLate(measuredMs, limitMs)).toBe(late);
});
