import { setTimeout as pass } from 'node:timers/promises';
import fastify from 'fastify';
import { expect, test } from 'vitest';
import { addPressure } from '../../../../../cloud/http/plugins/pressure.ts';
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
