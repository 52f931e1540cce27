import { setTimeout as pass } from 'node:timers/promises';
import fastify from 'fastify';
import { expect, test } from 'vitest';
import { addPressure, isLate } from '../../../../../cloud/http/plugins/pressure.ts';
import type { HttpApi } from '../../../../../shared/http/http-api.ts';

test('a process that was busy with its own start turns nobody away', async () => {
  const api = fastify();
  await addPressure(api as unknown as HttpApi, { eventLoopDelayMs: 60_000 });
  api.get('/', async () => 'here');
  await api.ready();
  const started = performance.now();
  while (performance.now() < started + 1100);
  await pass(1);
  await expect(api.inject({ url: '/' })).resolves.toMatchObject({ statusCode: 200 });
  await api.close();
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
